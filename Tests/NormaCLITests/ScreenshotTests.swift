import Foundation
import MedicalImaging
import Testing

@Suite("The report in a browser")
struct ScreenshotTests {
  private static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()
  private static let isInstalled = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":").contains {
    FileManager.default.isExecutableFile(atPath: "\($0)/chromium")
  }

  @Test(
    "Wide and narrow, light and dark: pictures in .build/screenshots, no request, no complaint, nothing to scroll aside",
    .enabled(if: isInstalled, "Chromium is not here; Scripts/corpora installs it where that needs no password"))
  func screenshots() throws {
    let output = Self.root.appendingPathComponent(".build/screenshots")
    let (process, pipe) = (Process(), Pipe())
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = [
      "python3", Self.root.appendingPathComponent("Scripts/screenshots").path, try CohortRun.shared.get().page,
      output.path,
    ]
    process.standardOutput = pipe
    try process.run()
    let lines = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    #expect(process.terminationStatus == 0)
    let pictures = try Program.Run(status: 0, output: lines, errors: "").objects()
    #expect(pictures.count == 4)
    var means: [String: Float] = [:]
    for picture in pictures {
      let name = "\(picture["size"] ?? "")-\(picture["theme"] ?? "")"
      #expect((picture["requests"] as? [String]) == [] && (picture["complaints"] as? [String]) == [], "\(name)")
      let (width, scrolled) = (picture["width"] as? Int ?? 0, picture["scrollWidth"] as? Int ?? .max)
      #expect(scrolled <= width && (picture["wide"] as? [String]) == [], "\(name)")
      // The script ran: the switch changes the ground, and marks tell their values.
      #expect(picture["background"] as? String != picture["toggled"] as? String && picture["tips"] as? Int ?? 0 > 100)
      let path = output.appendingPathComponent("\(name).png").path
      guard case .image(let image) = try MedicalImage.read(path, isVolume: false) else { continue }
      #expect(image.width == (width == 390 ? 780 : 1280) && image.height > 2 * image.width)
      let grey = image.grey.samples
      means[name] = grey.reduce(0, +) / Float(grey.count)
      #expect(Set(grey.map { Int($0) }).count > 100, "\(name) is blank")
    }
    for size in ["desktop", "phone"] {
      #expect((means["\(size)-dark"] ?? .infinity) < 0.5 * (means["\(size)-light"] ?? 0), "\(size)")
    }
  }
}
