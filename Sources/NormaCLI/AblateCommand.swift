import ArgumentParser
import Foundation
import Norma

/// `norma ablate`.
struct AblateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "ablate", abstract: "Lists the switches of a method that a benchmark can turn.",
    discussion: """
      Each switch takes a part of the method away or exchanges it. It has a name, where it was published, and settings that
      `--set` of other commands takes as well. A benchmark's file turns them under `ablations`, all or some by name.

      Examples:
        norma ablate
        norma ablate simsid
        norma ablate memmc-mae --json
      """)

  @Argument(
    help:
      "A method: \(DetectionMethod.trainable.map(\.rawValue).joined(separator: ", ")). By default all that have switches."
  )
  var method: String?

  @Flag(help: "Print one JSON object per line instead of text.")
  var json = false

  func run() throws {
    let methods = try method.map { [try DetectionMethod(named: $0)] } ?? DetectionMethod.trainable
    for method in methods {
      let ablations = method.ablations
      if json {
        for ablation in ablations {
          try printJSON([
            "method": method.rawValue, "name": ablation.name, "summary": ablation.summary, "source": ablation.source,
            "settings": ablation.settings,
          ])
        }
      } else if !ablations.isEmpty {
        print("\(method.rawValue)\n")
        for ablation in ablations {
          let source = ablation.source.isEmpty ? "" : " (\(ablation.source))"
          print("  \(ablation.name)\(source)\n    \(ablation.summary)")
          print("    " + ablation.settings.map { "--set '\($0)'" }.joined(separator: " ") + "\n")
        }
      } else if self.method != nil {
        print("\(method.rawValue) names no switches; --set changes any of its settings")
      }
    }
  }
}
