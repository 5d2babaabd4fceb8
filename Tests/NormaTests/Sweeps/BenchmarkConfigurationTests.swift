import Foundation
import Testing

@testable import Norma

@Suite("Benchmark files")
struct BenchmarkConfigurationTests {
  private static let sets = "datasets: [{name: a, path: x}]\n"

  private func read(_ yaml: String) throws -> BenchmarkConfiguration {
    try BenchmarkConfiguration(yaml: yaml, source: "file.yaml")
  }

  @Test("Everything that a file may say is read")
  func whole() throws {
    let found = try read(
      """
      output: runs/all
      seeds: [4, 2, 9]
      contamination: [0.5, 0]
      datasets:
        - {name: chest, path: /data/chest, set: {data: {validationNormal: 3, normalClass: ok}}}
        - {name: other, path: other.npz, set: {data.normalClass: "0"}}
      methods:
        - {name: sim, preset: simsid-laptop-64, seeds: 2, set: {training: {epochs: 3}, detector: {decoderMemories: [none, windows]}}}
        - {method: band-energy}
        - {name: mae, preset: memmc-mae-laptop-64, seeds: [2]}
      ablations: {sim: [no-skips, memory-queue], mae: all}
      ensembles:
        - {name: both, members: [sim, band-energy], seeds: 2}
        - {name: best, members: [sim, band-energy], fusion: [mean, rank], choose: validation, seeds: [4]}
      """)
    #expect(found.output == "runs/all" && found.contaminations == [0, 0.5])
    #expect(
      found.dataSets.map(\.name) == ["chest", "other"] && found.dataSets.map(\.path) == ["/data/chest", "other.npz"])
    #expect(found.dataSets[0].settings == ["data.normalClass=\"ok\"", "data.validationNormal=3"])
    #expect(found.dataSets[1].settings == ["data.normalClass=\"0\""])
    #expect(found.methods.map(\.name) == ["sim", "band-energy", "mae"])
    #expect(found.methods.map(\.seeds) == [[4, 2], [4, 2, 9], [2]])
    #expect(
      found.methods.map(\.source) == [
        .preset("simsid-laptop-64"), .method("band-energy"), .preset("memmc-mae-laptop-64"),
      ])
    #expect(found.methods[0].settings == ["detector.decoderMemories=[\"none\",\"windows\"]", "training.epochs=3"])
    #expect(
      found.methods[0].ablations.map(\.name) == ["no-skips", "memory-queue"] && !found.methods[0].takesAllAblations)
    #expect(found.methods[1].ablations.isEmpty)
    #expect(found.methods[2].ablations == MemMCMAEConfiguration.ablations && found.methods[2].takesAllAblations)
    #expect(found.ensembles.map(\.members) == [["sim", "band-energy"], ["sim", "band-energy"]])
    #expect(found.ensembles.map(\.fusions) == [[.mean], [.mean, .rank]])
    #expect(found.ensembles.map(\.isChosen) == [false, true] && found.ensembles.map(\.seeds) == [[4, 2], [4]])
  }

  /// What follows the data sets, and the sentence.
  static let wrong: [(String, String)] = [
    ("metods: []\n", "configuration key 'metods' does not exist; did you mean 'methods'?"),
    ("", "configuration key 'methods' must be a list of methods, each with a preset, config or method"),
    (
      "methods: [{presets: squid}]\n",
      "configuration key 'methods[0].presets' does not exist; did you mean 'methods[0].preset'?"
    ),
    (
      "methods: [{preset: squid, method: simsid}]\n",
      "configuration key 'methods[0].preset' must be given, or one of config and method in its place"
    ),
    (
      "methods: [{preset: squid}, {name: SQUID, method: simsid}]\n",
      "configuration key 'methods.name' is 'SQUID' twice; it may be given once, in whatever case"
    ),
    (
      "methods: [{name: a/b, preset: squid}]\n",
      "configuration key 'methods[0].name' is 'a/b'; it may be letters, digits, '-', '_' and '.', beginning with a letter or digit"
    ),
    (
      "methods: [{preset: squid, set: {data: {contamination: 0.5}}}]\n",
      "configuration key 'methods[0].set.data.contamination' is given; it may be left out, as 'contamination' of the benchmark sets it"
    ),
    (
      "seeds: 0\n",
      "configuration key 'seeds' is 0; it may be a list of seeds, or a number of them from 1 to 1000"
    ),
    (
      "seeds: [1, 1]\n",
      "configuration key 'seeds' must be a number of seeds, or a list of whole numbers, each once"
    ),
    (
      "seeds: 2\nmethods: [{preset: squid, seeds: 3}]\n",
      "configuration key 'methods[0].seeds' is 3; it may be a list of seeds, or a number of them from 1 to 2"
    ),
    ("contamination: [0, 2]\n", "configuration key 'contamination' is 2.0; it may be shares from 0 to 1"),
    (
      "methods: [{name: sim, preset: squid}]\nablations: {sin: all}\n",
      "configuration key 'ablations.sin' does not exist; did you mean 'ablations.sim'?"
    ),
    (
      "methods: [{preset: band-energy}]\nablations: {band-energy: all}\n",
      "configuration key 'ablations.band-energy' is 'all'; it may be left out, as band-energy names no switches"
    ),
    (
      "methods: [{preset: squid}]\nensembles: [{name: e, members: [squid]}]\n",
      "configuration key 'ensembles[0].members' must be two or more names of methods, each once"
    ),
    (
      "methods: [{preset: squid}]\nensembles: [{name: e, members: [squid, other]}]\n",
      "there is no method of this benchmark 'other'; choose one of squid"
    ),
    (
      "seeds: 2\nmethods: [{preset: squid}, {preset: band-energy, seeds: 1}]\nensembles: [{name: e, members: [squid, band-energy]}]\n",
      "configuration key 'ensembles[0].seeds' is [1, 2]; it may be [1], the seeds of its member band-energy: runs of one seed share their validation images"
    ),
    (
      "methods: [{preset: squid}, {preset: band-energy}]\nensembles: [{name: e, members: [squid, band-energy], fusion: [mean, rank]}]\n",
      "configuration key 'ensembles[0].fusion' must be one fusion, or with 'choose: validation' a list of them, each once"
    ),
    (
      "methods: [{preset: squid}, {preset: band-energy}]\nensembles: [{name: e, members: [squid, band-energy], choose: test}]\n",
      "configuration key 'ensembles[0].choose' is test; it may be validation, or left out to fuse all members"
    ),
  ]

  @Test("What is wrong is told by name", arguments: wrong)
  func mistakes(_ yaml: String, _ sentence: String) {
    let error = #expect(throws: ConfigurationError.self) { try read(Self.sets + yaml) }
    #expect(error?.description == sentence)
  }

  @Test("A file without data sets is told so")
  func noDataSets() {
    let error = #expect(throws: ConfigurationError.self) { try read("seeds: 2") }
    #expect(
      error?.description
        == "configuration key 'datasets' must be a list of data sets, each with a name and a path")
  }

  @Test("The benchmarks of this repository read, and name methods of the house")
  func committed() throws {
    let folder = ArchitectureTests.root.appendingPathComponent("Benchmarks")
    for name in ["zhanglab-64", "phantoms-64"] {
      let found = try BenchmarkConfiguration(path: folder.appendingPathComponent("\(name).yaml").path)
      for name in ["simsid", "memmc-mae", "token-masking", "band-energy", "autoencoder"] {
        #expect(found.methods.first { $0.name == name }?.seeds == [1, 2, 3])
      }
      #expect(found.ensembles.count == 1 && found.ensembles[0].isChosen)
    }
  }
}
