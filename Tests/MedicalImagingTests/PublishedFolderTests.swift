import Foundation
import MedicalImaging
import Testing

@Suite("Published data sets: folders, archives and volumes")
struct PublishedFolderTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  @Test("ZhangLab: the publisher's test folder; Kaggle's val goes back to train")
  func zhangLab() throws {
    for name in [
      "train/NORMAL/IM-0115-0001.jpeg", "train/PNEUMONIA/person1_virus_6.jpeg", "val/NORMAL/NORMAL2-IM-1427-0001.jpeg",
      "test/NORMAL/IM-0001-0001.jpeg", "test/PNEUMONIA/person9_bacteria_1.jpeg",
    ] { try folder.picture(name) }
    #expect(PublishedDataSet.recognised(at: folder.path) == nil)
    let set = try ImageDataSet.open(folder.path, as: .zhangLab)
    #expect(set.items(in: .train, label: .normal).map(\.patient) == ["IM-0115", "IM-1427"])
    #expect(set.items(in: .validation).isEmpty && set.items(in: .test).map(\.label) == [.normal, .abnormal])
    try FileManager.default.removeItem(atPath: folder.path + "/test/PNEUMONIA")
    #expect(
      message { try ImageDataSet.open(folder.path, as: .zhangLab) }?.hasPrefix(
        "\(folder.path) cannot be read as ZhangLab chest X-ray: \(folder.path)/test/PNEUMONIA does not exist; it holds")
        == true)
  }

  @Test("HyperKvasir: three classes are normal, polyps are tested on with their masks")
  func hyperKvasir() throws {
    let tract = "labeled-images/lower-gi-tract"
    for index in 0..<4 {
      try folder.picture("\(tract)/anatomical-landmarks/cecum/c\(index).jpg")
      try folder.picture("\(tract)/anatomical-landmarks/ileum/i\(index).jpg")
      try folder.picture("\(tract)/quality-of-mucosal-views/bbps-2-3/b\(index).jpg")
      try folder.picture("\(tract)/quality-of-mucosal-views/bbps-0-1/x\(index).jpg")
    }
    for name in ["p0", "p1"] { try folder.picture("\(tract)/pathological-findings/polyps/\(name).jpg") }
    try folder.picture("segmented-images/masks/p1.jpg")
    #expect(PublishedDataSet.recognised(at: folder.path) == .hyperKvasir)
    let set = try ImageDataSet.open(folder.path)
    #expect(set.items(in: .train).count == 10 && set.items(in: .train).allSatisfy { $0.label == .normal })
    #expect(set.items(in: .test, label: .normal).count == 2)
    #expect(
      set.items(in: .test, label: .abnormal).map(\.maskPath) == [nil, folder.path + "/segmented-images/masks/p1.jpg"])
    #expect(!set.items.contains { $0.name.contains("bbps-0-1") })
    #expect(Set(set.items.compactMap(\.className)) == ["cecum", "ileum", "bbps-2-3", "polyps"])
    let inner = try ImageDataSet.open(folder.path + "/labeled-images")
    #expect(
      inner.items.map(\.path) == set.items.map(\.path) && inner.items.map(\.maskPath) == set.items.map(\.maskPath))
    try FileManager.default.removeItem(atPath: folder.path + "/\(tract)/anatomical-landmarks/ileum")
    #expect(
      message { try ImageDataSet.open(folder.path) }?.contains("/anatomical-landmarks/ileum does not exist") == true)
  }

  @Test("MVTec AD: of the folder of all objects one is chosen")
  func mvtec() throws {
    for object in ["bottle", "carpet"] {
      for name in ["train/good/0.png", "test/good/0.png", "test/cut/0.png", "ground_truth/cut/0_mask.png"] {
        try folder.picture("\(object)/\(name)")
      }
    }
    #expect(PublishedDataSet.recognised(at: folder.path) == .mvtecAD)
    #expect(PublishedDataSet.recognised(at: folder.path + "/bottle") == nil)
    #expect(
      message { try ImageDataSet.open(folder.path) }
        == "\(folder.path) cannot be read as MVTec AD: one object is a data set; choose with data.part: bottle, carpet."
    )
    #expect(
      message { try ImageDataSet.open(folder.path, part: "cable") }?.contains("cable is none of its objects") == true)
    let chosen = try ImageDataSet.open(folder.path, part: "bottle")
    #expect(try chosen == ImageDataSet.open(folder.path + "/bottle"))
    #expect(chosen.items.map(\.maskPath) == [nil, folder.path + "/bottle/ground_truth/cut/0_mask.png", nil])
    #expect(
      message { try ImageDataSet.open(folder.path + "/bottle", part: "x") }
        == "\(folder.path)/bottle has no parts to choose from; leave data.part empty, or name the published data set in "
        + "data.set.")
  }

  @Test("MedMNIST: the archive's name tells the normal class, unless it is given")
  func medMNIST() throws {
    let archive = try Data(contentsOf: URL(fileURLWithPath: ArrayGolden.path("compressed.npz")))
    let path = try folder.write("RetinaMNIST_64.npz", archive)
    #expect(PublishedDataSet.recognised(at: path) == .medMNIST)
    let set = try ImageDataSet.open(path)
    #expect(set.items(in: .train).map(\.label) == (0..<12).map { $0 % 3 == 0 ? .normal : .abnormal })
    let given = try ImageDataSet.open(path, normalClass: "1,2")
    #expect(zip(set.items, given.items).allSatisfy { $0.label != $1.label })
    let breast = try ImageDataSet.open(folder.write("breastmnist.npz", archive))
    #expect(breast.items(in: .train).map(\.label) == (0..<12).map { $0 % 3 == 1 ? .normal : .abnormal })
    let blood = try folder.write("bloodmnist.npz", archive)
    #expect(PublishedDataSet.recognised(at: blood) == nil)
    #expect(
      message { try ImageDataSet.open(blood, as: .medMNIST) }?.contains("does not tell which labels are normal") == true
    )
  }

  @Test("AutoPET: the mask tells the label, the CT is paired, patients stay whole")
  func autoPET() throws {
    for patient in 0..<5 {
      for study in 0..<2 {
        let name = "FDG-PET-CT-Lesions/PETCT_\(patient)/0\(study)-01-2003-NA-PET-CT"
        let marks: [Float] = (0..<8).map { study == 1 && $0 == patient ? 1 : 0 }
        try folder.volume("\(name)/SUV.nii.gz", (0..<8).map { Float($0 + patient) })
        try folder.volume("\(name)/CTres.nii.gz", (0..<8).map { Float(-$0) })
        try folder.volume("\(name)/SEG.nii.gz", marks)
      }
    }
    #expect(PublishedDataSet.recognised(at: folder.path) == .autoPET)
    let set = try ImageDataSet.open(folder.path)
    #expect(set.items.count == 10 && set.items(in: .test).count == 2)
    #expect(Set(set.items(in: .test).map(\.patient)).count == 1)
    for item in set.items {
      #expect((item.label == .abnormal) == item.path.contains("/01-01-2003"))
      #expect(
        (item.maskPath != nil) == (item.label == .abnormal) && item.pairedPath?.hasSuffix("/CTres.nii.gz") == true)
    }
    let missing = folder.path + "/FDG-PET-CT-Lesions/PETCT_3/00-01-2003-NA-PET-CT/CTres.nii.gz"
    try FileManager.default.removeItem(atPath: missing)
    #expect(
      message { try ImageDataSet.open(folder.path) }?.hasPrefix(
        "\(folder.path) cannot be read as AutoPET: \(missing) does not exist; it holds") == true)
  }

  @Test("AutoPET in nnU-Net's layout: CT is channel 0, SUV channel 1; the patient stands in the name")
  func challengeAutoPET() throws {
    for (index, name) in ["fdg_aa_01-02-2003-NA-PET-CT Ganz-1", "psma_bb_2018-05-06"].enumerated() {
      try folder.volume("imagesTr/\(name)_0000.nii.gz", (0..<8).map(Float.init))
      try folder.volume("imagesTr/\(name)_0001.nii.gz", (0..<8).map(Float.init))
      try folder.volume("labelsTr/\(name).nii.gz", (0..<8).map { Float($0 == 3 ? index : 0) })
    }
    #expect(PublishedDataSet.recognised(at: folder.path) == .autoPET)
    let items = try ImageDataSet.open(folder.path).items
    #expect(items.map(\.patient) == ["fdg_aa", "psma_bb"] && items.map(\.label) == [.normal, .abnormal])
    #expect(items[1].path == folder.path + "/imagesTr/psma_bb_2018-05-06_0001.nii.gz")
    #expect(items[1].pairedPath == folder.path + "/imagesTr/psma_bb_2018-05-06_0000.nii.gz")
    #expect(items[1].maskPath == folder.path + "/labelsTr/psma_bb_2018-05-06.nii.gz")
  }

  /// Slices with 0, 1, 4, 4 and 2 voxels of brain; slice 2 has a tumour.
  private func brain(_ name: String, _ ending: (String) -> String) throws {
    let brain: [Float] = [0, 0, 0, 0] + [9, 0, 0, 0] + [1, 2, 3, 4] + [5, 6, 7, 8] + [0, 2, 0, 3]
    try folder.volume("\(name)/\(name)\(ending("flair")).nii.gz", brain)
    try folder.volume("\(name)/\(name)\(ending("t2")).nii.gz", brain.map { 2 * $0 })
    try folder.volume("\(name)/\(name)\(ending("seg")).nii.gz", (0..<20).map { $0 == 9 ? 4 : 0 })
  }

  @Test("BraTS: slices with enough brain, normal where the mask marks nothing; patients stay whole")
  func braTS() throws {
    for patient in 0..<5 { try brain("BraTS2021_0000\(patient)") { "_\($0)" } }
    #expect(PublishedDataSet.recognised(at: folder.path) == .braTS)
    let set = try ImageDataSet.open(folder.path)
    #expect(set.items.count == 15 && set.items(in: .test).count == 3)
    #expect(Set(set.items(in: .test).map(\.patient)).count == 1)
    let items = set.items.filter { $0.patient == "BraTS2021_00002" }
    #expect(items.map(\.name) == (2...4).map { "BraTS2021_00002/BraTS2021_00002_flair.nii.gz#z\($0)" })
    #expect(items.map(\.label) == [.abnormal, .normal, .normal])
    #expect(items.map { $0.maskPath != nil } == [true, false, false])
    #expect(try ImageReader.read(items[1].path).samples == [8, 7, 6, 5])
    let mask = try ImageReader.read(#require(items[0].maskPath))
    #expect(mask.markedPixels == [false, false, true, false])  // voxel (1, 0) of slice 2, mirrored both ways
    let other = try ImageDataSet.open(folder.path, part: "T2")
    #expect(try ImageReader.read(other.items[0].path).range == 0...18)
    #expect(message { try ImageDataSet.open(folder.path, part: "dwi") }?.contains("dwi is no sequence") == true)
    try FileManager.default.removeItem(atPath: folder.path + "/BraTS2021_00001/BraTS2021_00001_flair.nii.gz")
    #expect(
      message { try ImageDataSet.open(folder.path) }
        == "\(folder.path)/BraTS2021_00001/BraTS2021_00001_flair.nii.gz does not exist; check the path.")
  }

  @Test("BraTS 2023 has other names")
  func laterBraTS() throws {
    try brain("BraTS-GLI-00000-000") { "-" + ["flair": "t2f", "t2": "t2w", "seg": "seg"][$0, default: ""] }
    let items = try ImageDataSet.open(folder.path).items
    #expect(items.map(\.label) == [.abnormal, .normal, .normal])
    #expect(items[0].path.hasSuffix("/BraTS-GLI-00000-000-t2f.nii.gz#z2"))
  }

  @Test("A slice of a volume is counted from the feet, front at the top and the patient's right at the left")
  func slices() throws {
    // Stored with x towards the left, y towards the back, z towards the feet.
    let affine = Affine3D(x: SIMD3(-0.5, 0, 0), y: SIMD3(0, -0.75, 0), z: SIMD3(0, 0, -3))
    let path = try folder.volume("scan.nii.gz", (0..<12).map(Float.init), width: 3, height: 2, affine: affine)
    let upper = try ImageReader.read(path + "#z1")
    #expect(upper.samples == [0, 1, 2, 3, 4, 5] && (upper.width, upper.height) == (3, 2))
    #expect(upper.range == 0...11 && upper.spacing == PixelSpacing(row: 0.75, column: 0.5))
    #expect(try ImageReader.read(path + "#z0").samples == [6, 7, 8, 9, 10, 11])
    #expect(
      message { try ImageReader.read(path + "#z2") }
        == "\(path)#z2 names no image: the volume has 2 slices, counted from 0.")
    #expect(message { try ImageReader.read(path + "#zz") } != nil)
  }

  @Test("Every published data set says what it is")
  func descriptions() {
    #expect(PublishedDataSet.allCases.count == 10)
    for set in PublishedDataSet.allCases {
      for text in [set.title, set.source, set.files, set.protocolNote] { #expect(!text.isEmpty) }
    }
    #expect(Set(PublishedDataSet.allCases.map(\.title)).count == 10)
  }
}
