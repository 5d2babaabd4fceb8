import Foundation
import MedicalImaging
import Testing

@Suite("ImageDataSet, arrays")
struct ArrayDataSetTests {
  private let compressed = ArrayGolden.path("compressed.npz")

  @Test("MedMNIST's layout gives splits, classes and labels; names are in the order of the numbers")
  func layout() throws {
    let set = try ImageDataSet.open(compressed, normalClass: "0")
    #expect(set.layout == .arrays && set.items.count == 12 + 3 + 4)
    #expect(set.items(in: .train).map(\.name) == (0..<12).map { "train_images/" + ($0 < 10 ? "0" : "") + "\($0)" })
    #expect(set.items(in: .train).map(\.className) == (0..<12).map { "\($0 % 3)" })
    #expect(set.items(in: .train).map(\.label) == (0..<12).map { $0 % 3 == 0 ? .normal : .abnormal })
    #expect(set.items(in: .validation).map(\.name) == ["val_images/0", "val_images/1", "val_images/2"])
    #expect(set.items(in: .test).count == 4)
    let expected = try ArrayGolden.load()
    let item = try #require(set.items.first { $0.name == "train_images/07" })
    #expect(try ImageReader.read(item.path).samples == expected["compressed.npz#train_images/07"]?.samples)
  }

  @Test("Several labels can be normal, and which is asked for with those that there are")
  func labels() throws {
    let set = try ImageDataSet.open(compressed, normalClass: "0, 2")
    #expect(set.items(in: .test).map(\.label) == [.normal, .abnormal, .normal, .normal])
    #expect(
      message { try ImageDataSet.open(compressed) }
        == "\(compressed) does not tell which labels are normal; name them in data.normalClass, separated by commas, among: "
        + "0 (7 images), 1 (6 images), 2 (6 images).")
    #expect(
      message { try ImageDataSet.open(compressed, normalClass: "0,3") }
        == "\(compressed) has no class 3; its classes are: 0, 1, 2.")
    let volumes = try ImageDataSet.open(ArrayGolden.path("volumes.npz"), normalClass: "7")
    #expect(volumes.items(in: .train).map(\.label) == [.normal, .normal, .normal, .abnormal, .normal])
    #expect(try VolumeReader.read(volumes.items[0].path).grid.extents == [3, 4, 5])
  }

  @Test("MedMNIST's volumes are read whole, along the axes in which they are stored")
  func medMNISTVolumes() throws {
    let path = ArrayGolden.path("organmnist3d.npz")
    let set = try ImageDataSet.open(path, as: .medMNIST, normalClass: "0,2")
    #expect(
      DataItem.Split.allCases.map { set.items(in: $0).map(\.label) }
        == [[.normal, .abnormal, .normal, .normal], [.normal], [.normal, .abnormal]])
    #expect(set.items(in: .train).map(\.className) == ["0", "1", "2", "0"])
    for (number, item) in set.items(in: .train).enumerated() {
      let volume = try VolumeReader.read(item.path)
      #expect(volume.grid.extents == [28, 28, 28])
      let expected = (0..<28 * 28 * 28).map { place in
        Float((place / 784 * 9 + place / 28 % 28 * 3 + place % 28 + 50 * number) % 256)
      }
      #expect(volume.samples == expected)
      let facts = try FileFacts(of: item)
      #expect(facts.grid.isVolume && facts.bitsPerSample == 8 && facts.extremes == 0...255)
    }
    // An image of a volume is refused where images are wanted, and said to be one.
    #expect(message { try ImageReader.read(set.items[0].path) }?.contains("volume") == true)
  }

  @Test("Of several findings an image without any is normal, and one that has only those named so")
  func findings() throws {
    let path = ArrayGolden.path("findings.npz")
    let set = try ImageDataSet.open(path)
    #expect(set.items(in: .train).map(\.className) == ["none", "1+2", "0", "2"])
    #expect(set.items(in: .train).map(\.label) == [.normal, .abnormal, .abnormal, .abnormal])
    let named = try ImageDataSet.open(path, normalClass: "2")
    #expect(named.items(in: .train).map(\.label) == [.normal, .abnormal, .abnormal, .normal])
    #expect(set.items(in: .test).map { $0.maskPath != nil } == [true, true, true, false])
    let mask = try #require(set.items(in: .test)[1].maskPath)
    #expect(mask == path + "#test_masks/1")
    #expect(try ImageReader.read(mask).range == 0...1)
  }

  @Test("Arrays that do not make a data set say why")
  func unusable() throws {
    let (uneven, others) = (ArrayGolden.path("uneven.npz"), ArrayGolden.path("others.npz"))
    #expect(
      message { try ImageDataSet.open(uneven, normalClass: "0") }
        == "\(uneven) cannot be used as a data set: train_images holds 3 images and train_labels is of shape [2, 1]; give each "
        + "image its own.")
    #expect(
      message { try ImageDataSet.open(others) }
        == "\(others) cannot be used as a data set: it needs the arrays train_images and train_labels, and usually "
        + "test_images and test_labels; found first, second.")
    let folder = try TemporaryFolder()
    let text = try folder.write("notes.npz", Data("patient walks".utf8))
    #expect(message { try ImageDataSet.open(text) }?.contains("cannot be used as a data set") == true)
    let missing = folder.path + "/none.npz"
    #expect(message { try ImageDataSet.open(missing) } == "\(missing) does not exist; check the path.")
  }

  @Test("To be scored, an archive stands for its images, and so does an array in it")
  func scoring() throws {
    let all = try ImageDataSet.files(at: [compressed]).items
    #expect(all.count == 19 && all.allSatisfy { $0.label == nil })
    let test = try ImageDataSet.files(at: [compressed + "#test_images", compressed + "#test_images/3"]).items
    #expect(test.map(\.path) == (0..<4).map { "\(compressed)#test_images/\($0)" })
    let others = ArrayGolden.path("others.npz")
    #expect(
      message { try ImageDataSet.files(at: [others]) }
        == "\(others) cannot be used as a data set: none of its arrays is called images or ends in _images; name one behind a "
        + "#, among: first, second.")
    #expect(try ImageDataSet.files(at: [others + "#second"]).items.count == 2)
    #expect(try ImageDataSet.files(at: [VolumeGolden.path("times.nii.gz") + "#1"]).items.count == 1)
  }

  @Test("Images in one file are told apart by their content, and a pair by its voxels")
  func content() async throws {
    let folder = try TemporaryFolder()
    let text = "{'descr': '|u1', 'fortran_order': False, 'shape': (3, 2, 2), }"
    let header = [0x93] + Array("NUMPY".utf8) + [1, 0, UInt8(text.utf8.count), 0] + Array(text.utf8)
    let stack = try folder.write("stack.npy", Data(header + [1, 2, 3, 4, 9, 9, 9, 9, 1, 2, 3, 4]))
    let items = (0..<3).map { DataItem(name: "\($0)", path: "\(stack)#\($0)", split: $0 == 0 ? .train : .test) }
    let index = try await ContentIndex(of: items)
    #expect(index.duplicates.map { $0.map(\.name) } == [["0", "2"]])
    #expect(index.warnings == ["The same image is in several splits: 0, 2."])

    for (name, source) in [("a", "pair"), ("b", "pair")] {
      for ending in ["hdr", "img"] {
        var content = try Data(contentsOf: URL(fileURLWithPath: VolumeGolden.path("\(source).\(ending)")))
        if name == "b", ending == "img" { content[0] ^= 1 }
        try folder.write("\(name).\(ending)", content)
      }
    }
    let pairs = ["a", "b"].map { DataItem(name: $0, path: folder.path + "/\($0).hdr") }
    #expect(try await ContentIndex(of: pairs).duplicates.isEmpty)
    let times = VolumeGolden.path("times.nii.gz")
    let volumes = (0..<2).map { DataItem(name: "\($0)", path: "\(times)#\($0)") }
    #expect(try await ContentIndex(of: volumes).duplicates.isEmpty)
  }
}
