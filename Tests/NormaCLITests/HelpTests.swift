import ArgumentParser
import Norma
import Testing

@testable import NormaCLI

@Suite("Help and version")
struct HelpTests {
  static let names = NormaCommand.configuration.subcommands.compactMap { $0.configuration.commandName }

  @Test("The version goes to standard output, alone")
  func version() throws {
    let run = try Program.run("--version")
    #expect(run.status == 0)
    #expect(run.output == Norma.version + "\n")
    #expect(run.errors.isEmpty)
    #expect(Norma.version.split(separator: ".").compactMap { Int($0) }.count == 3)
  }

  @Test(
    "Without a command, and with --help, the program lists its commands and says what it is not",
    arguments: [[], ["--help"]])
  func overview(arguments: [String]) throws {
    let run = try Program.run(arguments)
    #expect(run.status == 0)
    #expect(run.errors.isEmpty)
    let text = run.lines.joined(separator: " ").split(separator: " ").joined(separator: " ")
    #expect(text.contains(Norma.researchNote))
    for name in Self.names { #expect(text.contains(" \(name) ")) }
  }

  @Test(
    "The help of every command has an abstract, examples, and a line for each of its options",
    arguments: names)
  func help(command: String) throws {
    let run = try Program.run(command, "--help")
    #expect(run.status == 0)
    #expect(run.errors.isEmpty)
    #expect(run.output.hasPrefix("OVERVIEW: "))
    #expect(run.lines.contains { $0 == "Examples:" || $0 == "Example:" })
    #expect(run.lines.contains { $0.hasPrefix("  norma \(command) ") || $0 == "  norma \(command)" })
    #expect(run.output.contains("\nUSAGE: norma \(command) "))
    #expect(run.output.contains("\n  -h, --help "))
  }

  @Test("Every example of the help texts is a command line that the program takes")
  func examples() throws {
    let commands = NormaCommand.configuration.subcommands
    for command in commands + commands.flatMap({ $0.configuration.subcommands }) {
      let parts = command.configuration.subcommands
      let expected = (parts.isEmpty ? [command] : parts).map { "\($0)" }
      let lines = command.configuration.discussion.split(separator: "\n").map { $0.drop { $0 == " " } }
      let examples = lines.filter { $0.hasPrefix("norma ") }
      #expect(!examples.isEmpty)
      for example in examples {
        #expect(throws: Never.self, "\(example)") {
          let parsed = try NormaCommand.parseAsRoot(Array(words(of: String(example)).dropFirst()))
          #expect(expected.contains("\(type(of: parsed))"))
        }
      }
    }
  }

  /// The words of a command line, quoted ones whole.
  private func words(of line: String) -> [String] {
    line.split(separator: "\"", omittingEmptySubsequences: false).enumerated().flatMap { index, part in
      index.isMultiple(of: 2) ? part.split(separator: " ").map(String.init) : [String(part)]
    }
  }
}
