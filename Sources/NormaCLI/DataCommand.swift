import ArgumentParser
import Foundation
import MedicalImaging
import Norma

/// `norma data`.
struct DataCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "data", abstract: "Lists known data sets, looks at one, prepares one for training.",
    discussion: """
      Examples:
        norma data list
        norma data inspect chest_xray --contact-sheet sheet.png
        norma data prepare chest_xray --preset simsid-laptop-64 --output chest-64.safetensors
      """,
    subcommands: [DataListCommand.self, DataInspectCommand.self, DataPrepareCommand.self])
}

/// `norma data list`.
struct DataListCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "Lists the published data sets that are read as they are shipped.",
    discussion: """
      Most are recognised by their files; --set data.set=NAME says which it is, --set data.part=PART chooses where a data
      set has parts. Test splits that the publisher leaves open are drawn by patient with a fixed seed, so that all runs are
      measured on the same images.

      Example:
        norma data list
      """)

  @Flag(help: "Print one JSON object per line instead of text.")
  var json = false

  func run() throws {
    for set in PublishedDataSet.allCases {
      let facts = [
        ("title", set.title), ("source", set.source), ("files", set.files), ("protocol", set.protocolNote),
        ("part", set.parts ?? ""),
      ].filter { !$0.1.isEmpty }
      if json {
        try printJSON(Dictionary(uniqueKeysWithValues: [("name", set.rawValue)] + facts))
        continue
      }
      print(set.rawValue)
      for (name, text) in facts {
        print("  " + name.padding(toLength: 10, withPad: " ", startingAt: 0) + Self.wrapped(text, indent: 12))
      }
      print("")
    }
  }

  /// A text in lines of up to 110 characters.
  static func wrapped(_ text: String, indent: Int) -> String {
    var lines = [""]
    for word in text.split(separator: " ") {
      let line = lines[lines.count - 1]
      if indent + line.count + word.count > 110 {
        lines.append(String(word))
      } else {
        lines[lines.count - 1] = line.isEmpty ? String(word) : "\(line) \(word)"
      }
    }
    return lines.joined(separator: "\n" + String(repeating: " ", count: indent))
  }
}
