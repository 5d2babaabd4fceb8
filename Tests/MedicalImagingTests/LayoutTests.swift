import Foundation
import MedicalImaging
import Testing

@Suite("ImageDataSet, layouts")
struct LayoutTests {
  private func folder(_ names: [String]) throws -> TemporaryFolder {
    let folder = try TemporaryFolder()
    for name in names { try folder.write(name) }
    return folder
  }

  @Test("Class folders give labels, classes, splits and patients, sorted")
  func classFolders() throws {
    let folder = try folder([
      "train/NORMAL/IM-0115-0001.jpeg", "train/PNEUMONIA/person7_virus_2.jpeg", "val/NORMAL/b.png", "test/NORMAL/z.tif",
      "test/NORMAL/deeper/a.TIFF", "test/PNEUMONIA/x.jpg", "train/NORMAL/.hidden.png", "train/NORMAL/notes.txt",
      "train/.DS_Store/a.png",
    ])
    let dataSet = try ImageDataSet.open(folder.path)
    #expect(dataSet.layout == .classFolders)
    #expect(
      dataSet.items.map(\.name) == [
        "train/NORMAL/IM-0115-0001.jpeg", "train/PNEUMONIA/person7_virus_2.jpeg", "val/NORMAL/b.png",
        "test/NORMAL/deeper/a.TIFF", "test/NORMAL/z.tif", "test/PNEUMONIA/x.jpg",
      ])
    #expect(dataSet.items.map(\.label) == [.normal, .abnormal, .normal, .normal, .normal, .abnormal])
    #expect(dataSet.items.map(\.split) == [.train, .train, .validation, .test, .test, .test])
    #expect(dataSet.items.map(\.className) == ["NORMAL", "PNEUMONIA", "NORMAL", "NORMAL", "NORMAL", "PNEUMONIA"])
    #expect(dataSet.items.map(\.patient) == ["IM-0115", "person7", nil, nil, nil, nil])
    #expect(dataSet.items.allSatisfy { FileManager.default.fileExists(atPath: $0.path) })
    #expect(dataSet.items(in: .test, label: .abnormal).map(\.name) == ["test/PNEUMONIA/x.jpg"])
  }

  @Test(
    "The normal class is known by its name",
    arguments: ["NORMAL", "good", "Healthy", "negative", "No Finding", "no_findings", "control", "no-tumor"])
  func normalNames(_ name: String) throws {
    let folder = try folder(["train/\(name)/a.png", "test/\(name)/b.png", "test/Effusion/c.png"])
    let items = try ImageDataSet.open(folder.path).items
    #expect(items.count == 3)
    #expect(items.allSatisfy { ($0.label == .normal) == ($0.className == name) })
  }

  @Test("The normal class can be given, and is asked for where it is unclear")
  func normalClass() throws {
    let folder = try folder(["train/A/a.png", "test/A/b.png", "test/B/c.png"])
    let root = folder.path
    #expect(try ImageDataSet.open(root, normalClass: "a").items.map(\.label) == [.normal, .normal, .abnormal])
    #expect(
      message { try ImageDataSet.open(root) }
        == "\(root) does not tell which class is normal; name it as the normal class, one of: A, B.")
    #expect(
      message { try ImageDataSet.open(root, normalClass: "C") } == "\(root) has no class C; its classes are: A, B.")
    try folder.write("test/good/d.png")
    try folder.write("test/healthy/d.png")
    #expect(
      message { try ImageDataSet.open(root) }
        == "\(root) does not tell which class is normal; name it as the normal class, one of: A, B, good, healthy.")
  }

  @Test("MVTec layouts give masks to abnormal test images")
  func mvtec() throws {
    let folder = try folder([
      "train/good/000.png", "test/good/000.png", "test/crack/000.png", "ground_truth/crack/000_mask.png",
    ])
    let dataSet = try ImageDataSet.open(folder.path)
    #expect(dataSet.layout == .mvtec)
    #expect(dataSet.items.map(\.name) == ["train/good/000.png", "test/crack/000.png", "test/good/000.png"])
    #expect(dataSet.items.map(\.maskPath) == [nil, "\(folder.path)/ground_truth/crack/000_mask.png", nil])
    try folder.write("test/crack/001.png")
    #expect(
      message { try ImageDataSet.open(folder.path) }
        == "\(folder.path)/test/crack/001.png has no mask; it should be "
        + "\(folder.path)/ground_truth/crack/001_mask.png.")
  }

  @Test("Volumes are found in class folders, with their masks and the paired volumes of another modality")
  func volumes() throws {
    let folder = try folder([
      "train/NORMAL/a.nii.gz", "train/NORMAL/b.nii", "test/LESION/deeper/c.NII.GZ", "test/LESION/d.nii.gz",
      "masks/test/LESION/deeper/c.NII.GZ", "paired/train/NORMAL/a.nii.gz", "paired/test/LESION/deeper/c.NII.GZ",
      "train/NORMAL/notes.gz",
    ])
    let items = try ImageDataSet.open(folder.path).items
    #expect(
      items.map(\.name) == [
        "train/NORMAL/a.nii.gz", "train/NORMAL/b.nii", "test/LESION/d.nii.gz", "test/LESION/deeper/c.NII.GZ",
      ])
    #expect(items.map(\.maskPath) == [nil, nil, nil, folder.path + "/masks/test/LESION/deeper/c.NII.GZ"])
    #expect(
      items.map(\.pairedPath) == [
        folder.path + "/paired/train/NORMAL/a.nii.gz", nil, nil, folder.path + "/paired/test/LESION/deeper/c.NII.GZ",
      ])
    let files = try ImageDataSet.files(at: [folder.path + "/test", folder.path + "/train/NORMAL/a.nii.gz"]).items
    #expect(files.map(\.pairedPath) == [nil, items[3].pairedPath, items[0].pairedPath])
    let here = FileManager.default.currentDirectoryPath.split(separator: "/").count
    let root = String(repeating: "../", count: here) + folder.path.dropFirst()
    let relative = try ImageDataSet.files(at: [root + "/train"]).items
    #expect(relative.map(\.pairedPath) == [root + "/paired/train/NORMAL/a.nii.gz", nil])
  }

  @Test("MVTec layouts of volumes have masks that are volumes")
  func mvtecVolumes() throws {
    let folder = try folder([
      "train/good/000.nii.gz", "test/crack/000.nii.gz", "ground_truth/crack/000_mask.nii.gz",
    ])
    let masks = try ImageDataSet.open(folder.path).items.map(\.maskPath)
    #expect(masks == [nil, "\(folder.path)/ground_truth/crack/000_mask.nii.gz"])
  }

  @Test("Files and folders to be scored are listed once, sorted within a folder, without hidden files")
  func files() throws {
    let folder = try folder(["b/2.png", "b/1.JPG", "b/c/0.tiff", "b/.0.png", "b/.c/3.png", "b/read.me", "scan"])
    let paths = ["/scan", "/b", "/b/2.png"].map { folder.path + $0 }
    let dataSet = try ImageDataSet.files(at: paths)
    #expect(dataSet.items.map(\.path) == ["/scan", "/b/1.JPG", "/b/2.png", "/b/c/0.tiff"].map { folder.path + $0 })
    #expect(dataSet.items.allSatisfy { $0.label == nil && $0.className == nil && $0.split == .test })
    try FileManager.default.createSymbolicLink(atPath: folder.path + "/b/loop", withDestinationPath: folder.path + "/b")
    #expect(try ImageDataSet.files(at: paths) == dataSet)
  }

  @Test("Folders that hold no data set say what is missing")
  func refusals() throws {
    let folder = try folder(["images/a.png", "masks/a.png"])
    let root = folder.path
    #expect(
      message { try ImageDataSet.open(root) }
        == "\(root) is not a data set: it needs the folder train with one folder per class, and usually test; "
        + "found images, masks.")
    #expect(
      message { try ImageDataSet.open(root + "/none") }
        == "\(root)/none is not a folder; give the folder that holds the data set, its manifest "
        + "(.csv, .tsv) or a NumPy archive (.npz).")
    #expect(message { try ImageDataSet.files(at: [root + "/x"]) } == "\(root)/x does not exist; check the path.")
    try folder.write("notes/read.me")
    #expect(
      message { try ImageDataSet.files(at: [root + "/notes"]) }
        == "\(root)/notes holds no images (.dcm, .dicom, .hdr, .hdr.gz, .jpeg, .jpg, .nii, .nii.gz, .npy, .png, .tif, .tiff)."
    )
    try folder.write("train/NORMAL/read.me")
    #expect(
      message { try ImageDataSet.open(root) }
        == "\(root) holds no images (.dcm, .dicom, .hdr, .hdr.gz, .jpeg, .jpg, .nii, .nii.gz, .npy, .png, .tif, .tiff)."
    )
    try folder.write("train/a.png")
    #expect(
      message { try ImageDataSet.open(root) }
        == "\(root)/train holds images itself; put them into one folder per class, for example \(root)/train/NORMAL.")
    try folder.write("Training/NORMAL/a.png")
    #expect(
      message { try ImageDataSet.open(root) }
        == "\(root) has several folders for the same split (Training, train); keep one.")
  }

  @Test("Files may be named relative to the working folder")
  func relativePaths() throws {
    let manager = FileManager.default
    let name = "norma-\(UUID().uuidString)"
    try manager.createDirectory(atPath: name, withIntermediateDirectories: true)
    defer { try? manager.removeItem(atPath: name) }
    for file in ["a.png", "paired/a.png", "b.png"] {
      let path = "\(name)/\(file)"
      try manager.createDirectory(
        atPath: (path as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
      try Data().write(to: URL(fileURLWithPath: path))
    }
    let items = try ImageDataSet.files(at: ["\(name)/a.png", "\(name)/b.png"]).items
    #expect(items.map(\.path) == ["\(name)/a.png", "\(name)/b.png"])
    #expect(items.map(\.pairedPath) == ["\(name)/paired/a.png", nil])
  }

  @Test("A data set survives being stored")
  func codable() throws {
    let folder = try folder(["train/good/000.png", "test/crack/000.png", "ground_truth/crack/000_mask.png"])
    let dataSet = try ImageDataSet.open(folder.path)
    #expect(try JSONDecoder().decode(ImageDataSet.self, from: JSONEncoder().encode(dataSet)) == dataSet)
  }

  @Test(
    "File names tell patients where they can",
    arguments: [
      ("IM-0115-0001.jpeg", "IM-0115"), ("NORMAL2-IM-0374-0001.jpeg", "IM-0374"),
      ("IM-0011-0001-0001.jpeg", "IM-0011"), ("person1000_bacteria_2931.jpeg", "person1000"),
      ("person447_virus_921_1.jpeg", "person447"), ("BACTERIA-1008087-0001.jpeg", "1008087"), ("000.png", nil),
      ("person.png", nil), ("scan-IM-0115-0001.png", nil),
    ])
  func patients(_ name: String, _ patient: String?) {
    #expect(PatientName.patient(inFileName: name) == patient)
  }
}
