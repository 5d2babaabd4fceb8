import Norma
import Testing

@Suite("The version")
struct VersionTests {
  @Test("Version numbers have three parts")
  func threeParts() { #expect(Norma.version.split(separator: ".").count == 3) }
}
