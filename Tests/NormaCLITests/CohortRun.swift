import Foundation

/// The trained detector evaluated once on a manifest with sex, age and scanner, for all suites that read page and JSON.
struct CohortRun: Sendable {
  static let shared = Result { try CohortRun(TrainedRun.shared.get()) }

  private static let folder = FileManager.default.temporaryDirectory.appendingPathComponent(
    "norma-\(UUID().uuidString)")

  /// The manifest.
  let data: String
  /// What was written: the page and the lines of JSON.
  let page = folder.appendingPathComponent("report.html").path
  private let output: String

  /// The lines as objects.
  func objects() throws -> [[String: Any]] {
    try Program.Run(status: 0, output: output, errors: "").objects()
  }

  /// The page's text.
  func html() throws -> String { try String(contentsOfFile: page, encoding: .utf8) }

  private init(_ trained: TrainedRun) throws {
    try FileManager.default.createDirectory(at: Self.folder, withIntermediateDirectories: true)
    atexit { try? FileManager.default.removeItem(at: CohortRun.folder) }
    data = try Self.manifest(of: trained.data, at: Self.folder.appendingPathComponent("cohort.csv").path)
    let run = try Program.run([
      "evaluate", data, "--checkpoint", trained.checkpoint, "--json", "--report", page, "--bootstrap", "200",
      "--subgroup", "sex", "--subgroup", "age:40,60", "--subgroup", "scanner", "--at-specificity", "0.8",
      "--at-specificity", "0.5", "--at-sensitivity", "0.95",
    ])
    guard run.status == 0 else { throw ProgramError(reason: "norma evaluate ended with \(run.status): \(run.errors)") }
    output = run.output
  }

  /// Writes a manifest of a data set in class folders: sexes alternate, every third case is 30, 50 and 70 years old, and the
  /// abnormal test images come from a scanner of their own.
  static func manifest(of folder: String, at file: String) throws -> String {
    var lines = ["path,label,split,mask,sex,age,scanner"]
    for split in ["train", "test"] {
      for name in ["NORMAL", "ABNORMAL"] {
        let images = (try? FileManager.default.contentsOfDirectory(atPath: "\(folder)/\(split)/\(name)")) ?? []
        for (index, image) in images.sorted().enumerated() {
          let mask = "\(folder)/masks/\(split)/\(name)/\(image)"
          let isAbnormal = name == "ABNORMAL"
          lines.append(
            [
              "\(folder)/\(split)/\(name)/\(image)", name.lowercased(), split, exists(mask) ? mask : "",
              index.isMultiple(of: 2) ? "F" : "M", ["030Y", "50", "70"][index % 3],
              isAbnormal ? "\"<b>\"\"A\"\" & 'B'\"" : index < 3 ? "C" : "",
            ].joined(separator: ","))
        }
      }
    }
    try lines.joined(separator: "\n").write(toFile: file, atomically: true, encoding: .utf8)
    return file
  }
}
