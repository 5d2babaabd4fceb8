import Foundation
import Testing

/// Holds the sources against the plan of the house: who may know whom.
@Suite("The rooms of the house")
struct ArchitectureTests {
  static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent()

  /// What each room may import, beside Foundation and the system's libraries.
  static let allowed: [String: Set<String>] = [
    "Torch": ["CTorch"],
    "MedicalImaging": ["CMedicalImaging"],
    "Evaluation": [],
    "Phantoms": ["MedicalImaging"],
    "Reporting": ["Evaluation", "MedicalImaging", "Mustache"],
    "Norma": ["Torch", "MedicalImaging", "Evaluation", "Yams"],
    "NormaCLI": ["Norma", "Reporting", "Phantoms", "MedicalImaging", "Evaluation", "Torch", "ArgumentParser"],
  ]
  private static let system: Set<String> = [
    "Foundation", "FoundationNetworking", "Synchronization", "Dispatch", "Glibc",
  ]

  /// A source file: its path below `Sources`, and its lines.
  struct Source {
    let path: String
    let lines: [Substring]
    var room: String { String(path.prefix { $0 != "/" }) }

    /// The modules that it imports, and whether it hands one on.
    var imports: [(module: String, line: Substring)] {
      lines.compactMap { line in
        let words = line.split(separator: " ")
        guard let word = words.firstIndex(of: "import"), words.count > word + 1,
          words[..<word].allSatisfy({ $0.hasPrefix("@") || ["public", "internal", "package", "private"].contains($0) })
        else { return nil }
        return (String(words[word + 1].prefix { $0 != "." }), line)
      }
    }
  }

  static func sources(_ extensions: Set<String>) throws -> [Source] {
    // Rooms may be linked into a checkout, so each is walked by itself.
    let folder = root.appendingPathComponent("Sources").path
    var sources: [Source] = []
    for room in try FileManager.default.contentsOfDirectory(atPath: folder).sorted() {
      let path = URL(fileURLWithPath: "\(folder)/\(room)").resolvingSymlinksInPath().path
      for file in try FileManager.default.subpathsOfDirectory(atPath: path).sorted() {
        guard extensions.contains((file as NSString).pathExtension) else { continue }
        let text = try String(contentsOfFile: "\(path)/\(file)", encoding: .utf8)
        sources.append(
          Source(path: "\(room)/\(file)", lines: text.split(separator: "\n", omittingEmptySubsequences: false)))
      }
    }
    return sources
  }

  @Test("A room imports what the plan draws below it, and nothing else")
  func imports() throws {
    let sources = try Self.sources(["swift"])
    #expect(Set(sources.map(\.room)) == Set(Self.allowed.keys))
    for source in sources {
      for (module, _) in source.imports where !Self.system.contains(module) {
        #expect(Self.allowed[source.room]?.contains(module) == true, "\(source.path) imports \(module)")
      }
    }
  }

  @Test("Every edge of the plan is used")
  func edges() throws {
    var used: [String: Set<String>] = [:]
    for source in try Self.sources(["swift"]) { used[source.room, default: []].formUnion(source.imports.map(\.module)) }
    for (room, modules) in Self.allowed { #expect(modules.subtracting(used[room] ?? []) == [], "\(room)") }
  }

  @Test("The manifest draws the same edges")
  func manifest() throws {
    let text = try String(contentsOf: Self.root.appendingPathComponent("Package.swift"), encoding: .utf8)
    for (room, modules) in Self.allowed {
      let declaration = try #require(
        text.range(of: "(room\\(|name:)\\s*\"\(room)\",\\s*(knows|dependencies):\\s*\\[", options: .regularExpression),
        "\(room)")
      let list = text[declaration.upperBound...].prefix { $0 != "]" }
      let names = list.matches(of: /"([A-Za-z]+)"(?:, package: "[^"]*")?/).map { String($0.1) }
      #expect(Set(names) == modules, "\(room)")
    }
  }

  @Test("Nobody hands another room on")
  func reexports() throws {
    for source in try Self.sources(["swift"]) {
      #expect(source.imports.allSatisfy { !$0.line.contains("@_exported") }, "\(source.path)")
    }
  }

  @Test("Headers of torch are included in CTorch alone, and only its handles know C++")
  func torchHeaders() throws {
    for source in try Self.sources(["swift", "h", "hpp", "c", "cpp", "modulemap"]) {
      let includes = source.lines.contains {
        $0.contains("#include") && ["torch/", "ATen/", "c10/"].contains(where: $0.contains) || $0.contains("<torch")
      }
      #expect(
        !includes || source.path.hasPrefix("CTorch/") || source.path.hasPrefix("System/CLibTorch/"), "\(source.path)")
    }
  }

  @Test("No file is longer than 400 lines")
  func fileLength() throws {
    for source in try Self.sources(["swift", "h", "c", "cpp"]) {
      #expect(source.lines.count <= 401, "\(source.path) has \(source.lines.count - 1) lines")
    }
  }

  @Test("No room, folder or file is called Utils")
  func names() throws {
    for source in try Self.sources(["swift", "h", "c", "cpp"]) {
      let names = source.path.lowercased().split(separator: "/").flatMap { $0.split(separator: ".") }
      #expect(!names.contains { ["util", "utils", "utility", "utilities", "helpers", "misc", "common"].contains($0) })
    }
  }
}
