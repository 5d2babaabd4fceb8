import Foundation
import MedicalImaging
import Testing

@Suite("Published data sets: radiographs")
struct PublishedRadiographTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func check(_ set: ImageDataSet, opens: Bool = true) throws {
    #expect(set.layout == .published)
    for item in set.items where opens { #expect(try ImageReader.read(item.path).samples.count > 0) }
    var splits: [String: Set<DataItem.Split>] = [:]
    for item in set.items { if let patient = item.patient { splits[patient, default: []].insert(item.split) } }
    #expect(splits.values.allSatisfy { $0.count == 1 })
  }

  // MARK: CheXpert

  /// Ten normal patients with two images each, ten abnormal ones with one, and whatever else there is.
  private func cheXpert(_ more: [String] = [], valid: [String]? = nil) throws {
    var rows: [String] = []
    for patient in 0..<10 {
      for study in 1...2 {
        rows.append(CheXpertFixture.row("train/patient0\(patient)/study\(study)/view1_frontal.jpg", noFinding: "1.0"))
      }
      rows.append(
        CheXpertFixture.row(
          "train/patient1\(patient)/study1/view1_frontal.jpg", [patient % 12: "1.0", 11: "-1.0", 12: "1.0"]))
    }
    let valid =
      valid ?? [
        CheXpertFixture.row("valid/patient90/study1/view1_frontal.jpg", noFinding: "1.0"),
        CheXpertFixture.row("valid/patient91/study1/view1_frontal.jpg", noFinding: "0.0", [6: "1.0", 2: "0.0"]),
      ]
    try folder.table("train.csv", [CheXpertFixture.columns] + rows + more)
    try folder.table("valid.csv", [CheXpertFixture.columns] + valid)
    for (seed, row) in (rows + more + valid).enumerated() {
      let name = row.prefix { $0 != "," }.split(separator: "/").dropFirst().joined(separator: "/")
      try folder.picture(name, seed: seed)
    }
  }

  @Test("CheXpert: frontal PA views, labels from findings, a fifth of each label drawn to test, whole patients")
  func cheXpertLabels() throws {
    try cheXpert([
      CheXpertFixture.row("train/patient20/study1/view2_lateral.jpg", view: "Lateral,", noFinding: "1.0"),
      CheXpertFixture.row("train/patient21/study1/view1_frontal.jpg", view: "Frontal,AP", noFinding: "1.0"),
      CheXpertFixture.row("train/patient22/study1/view1_frontal.jpg", [12: "1.0"]),  // nothing said but a device
    ])
    #expect(PublishedDataSet.recognised(at: folder.path) == .cheXpert)
    let set = try ImageDataSet.open(folder.path)
    try check(set)
    #expect(set.items.count == 32)
    #expect(set.items(in: .test, label: .normal).count == 4 && set.items(in: .test, label: .abnormal).count == 2)
    #expect(set.items(in: .train, label: .normal).count == 16 && set.items(in: .train, label: .abnormal).count == 8)
    #expect(set.items(in: .validation).map(\.label) == [.normal, .abnormal])
    #expect(set.items(in: .validation).map(\.patient) == ["patient90", "patient91"])
    #expect(set.items(in: .validation)[1].attributes == ["findings": "Pneumonia"])
    #expect(set.items(in: .validation)[0].name == "valid/patient90/study1/view1_frontal.jpg")
    #expect(try ImageDataSet.open(folder.path) == set)
  }

  @Test("CheXpert: at least ten test images of each finding, however rare, and no more images than without")
  func cheXpertFindings() throws {
    // One patient in twelve is drawn; four findings are shown by one in sixty each, of which four would be by chance.
    let rare = [6: "Pneumonia", 7: "Atelectasis", 8: "Pneumothorax", 9: "Pleural Effusion"]
    var rows = (0..<3_000).map { patient in
      let shown = rare.keys.filter { patient % 60 == $0 }
      return CheXpertFixture.row(
        "train/patient\(patient)/study1/a.jpg", Dictionary(uniqueKeysWithValues: ([2] + shown).map { ($0, "1.0") }))
    }
    for patient in 4_000..<4_010 {
      rows.append(CheXpertFixture.row("train/patient\(patient)/study1/a.jpg", noFinding: "1.0"))
    }
    try folder.table("train.csv", [CheXpertFixture.columns] + rows)
    let valid = CheXpertFixture.row("valid/patient9000/study1/a.jpg", noFinding: "1.0")
    try folder.table("valid.csv", [CheXpertFixture.columns, valid])
    for row in rows + [valid] {
      let name = row.prefix { $0 != "," }.split(separator: "/").dropFirst().joined(separator: "/")
      try folder.write(name, Data())
    }
    let set = try ImageDataSet.open(folder.path)
    try check(set, opens: false)
    let test = set.items(in: .test, label: .abnormal)
    #expect(test.count == 250 && set.items(in: .test, label: .normal).count == 2)
    for finding in rare.values {
      func count(_ items: [DataItem]) -> Int { items.count { $0.attributes["findings"]?.contains(finding) == true } }
      #expect(count(set.items) == 50 && count(test) >= 10, "\(finding): \(count(test))")
    }
    #expect(try ImageDataSet.open(folder.path) == set)
  }

  @Test("CheXpert: images with uncertain findings alone are left out, normal or abnormal, as is asked")
  func cheXpertUncertainty() throws {
    try cheXpert([
      CheXpertFixture.row("train/patient30/study1/view1_frontal.jpg", [3: "-1.0", 5: "0.0"]),
      CheXpertFixture.row("train/patient31/study1/view1_frontal.jpg", [3: "-1.0", 4: "1.0"]),
    ])
    func label(_ uncertain: UncertainFindings, _ patient: String) throws -> DataItem.Label? {
      let set = try ImageDataSet.open(folder.path, uncertain: uncertain)
      try check(set)
      return set.items.first { $0.patient == patient }?.label
    }
    #expect(try label(.ignore, "patient30") == nil)
    #expect(try label(.zeros, "patient30") == .normal)
    #expect(try label(.ones, "patient30") == .abnormal)
    for uncertain in UncertainFindings.allCases { #expect(try label(uncertain, "patient31") == .abnormal) }
  }

  @Test("CheXpert: a missing table, column or image, a patient in both tables and a value that is none are named")
  func cheXpertMistakes() throws {
    try cheXpert()
    let (train, valid) = (folder.path + "/train.csv", folder.path + "/valid.csv")
    let row = CheXpertFixture.row("valid/patient03/study1/view1_frontal.jpg", noFinding: "1.0")
    try cheXpert(valid: [row])
    #expect(
      message { try ImageDataSet.open(folder.path) }
        == "\(valid), line 2, column Path: the patient is in validation here and in train on line 11 of train.csv; keep all "
        + "images of a patient in one split.")
    try FileManager.default.removeItem(atPath: folder.path + "/valid/patient03")
    #expect(
      message { try ImageDataSet.open(folder.path) }
        == "\(valid), line 2, column Path: \(folder.path)/valid/patient03/study1/view1_frontal.jpg does not exist; unpack the "
        + "images beside the table as they are shipped.")
    try FileManager.default.removeItem(atPath: valid)
    #expect(
      message { try ImageDataSet.open(folder.path) }
        == "\(folder.path) cannot be read as CheXpert: \(valid) does not exist; it holds train.csv, valid.csv, "
        + "train/patient*/study*/*.jpg and valid/….")
    try cheXpert([CheXpertFixture.row("train/patient40/study1/view1_frontal.jpg", [0: "2.0"])])
    #expect(
      message { try ImageDataSet.open(folder.path) }
        == "\(train), line 32, column Enlarged Cardiomediastinum: 2.0 is none of 1, 0, -1 and nothing.")
    try folder.table("train.csv", ["Path,Frontal/Lateral,No Finding", "a,Frontal,1"])
    #expect(
      message { try ImageDataSet.open(folder.path) }
        == "\(train): it has no column AP/PA; its columns are Path, Frontal/Lateral, No Finding.")
    #expect(
      message { try ImageDataSet.open(folder.path, normalClass: "x") }
        == "\(folder.path) cannot be read as CheXpert: its own labels tell which images are normal; leave data.normalClass "
        + "empty.")
  }

  // MARK: COVIDx

  @Test("COVIDx: lists are the splits, in both numbers of classes, with patients per source")
  func covidx() throws {
    try folder.table(
      "train_COVIDx9A.txt",
      ["1 a 1.png normal cohen", "1 b.png COVID-19 ricord", "7 c.jpg pneumonia rsna", "", "8 old.png normal"])
    try folder.table("test_COVIDx9A.txt", ["9 d.png normal rsna", "10 e.png COVID-19 sirm"])
    for (seed, name) in ["train/a 1.png", "train/b.png", "train/c.jpg", "train/old.png", "test/d.png", "test/e.png"]
      .enumerated()
    {
      try folder.picture(name, seed: seed)
    }
    #expect(PublishedDataSet.recognised(at: folder.path) == .covidx)
    let set = try ImageDataSet.open(folder.path)
    try check(set)
    #expect(set.items(in: .train).map(\.name) == ["train/a 1.png", "train/b.png", "train/c.jpg", "train/old.png"])
    #expect(set.items(in: .train).map(\.label) == [.normal, .abnormal, .abnormal, .normal])
    #expect(set.items(in: .train).map(\.patient) == ["cohen/1", "ricord/1", "rsna/7", "8"])
    #expect(set.items(in: .test).map(\.className) == ["normal", "COVID-19"])

    try folder.table("train_COVIDx9B.txt", ["1 a 1.png negative cohen"])
    #expect(
      message { try ImageDataSet.open(folder.path) }
        == "\(folder.path) cannot be read as COVIDx: there are several lists (train_COVIDx9A.txt, train_COVIDx9B.txt); choose "
        + "with data.part, for example data.part=_COVIDx9A.")
    try folder.table("test_COVIDx9B.txt", ["9 d.png positive rsna"])
    try folder.table("val_COVIDx9B.txt", ["11 e.png negative rsna"])
    try folder.picture("val/e.png")
    let binary = try ImageDataSet.open(folder.path, part: "9b")
    #expect(binary.items.map(\.split) == [.train, .validation, .test])
    #expect(binary.items.map(\.label) == [.normal, .normal, .abnormal])
  }

  @Test("COVIDx: a line of another form, a missing image and a patient in two lists are named")
  func covidxMistakes() throws {
    try folder.table("train.txt", ["1 a.png negative rsna"])
    try folder.picture("train/a.png")
    let test = try folder.table("test.txt", ["2 b.png negative rsna", "1 c.png positive rsna"])
    #expect(
      message { try ImageDataSet.open(folder.path) }
        == "\(test), line 1: \(folder.path)/test/b.png does not exist; unpack the images beside the lists as they are shipped."
    )
    for name in ["test/b.png", "test/c.png"] { try folder.picture(name) }
    #expect(
      message { try ImageDataSet.open(folder.path) }
        == "\(test), line 2: the patient is in test here and in train on line 1 of train.txt; keep all images of a patient in "
        + "one split.")
    try folder.table("test.txt", ["2 b.png ill rsna"])
    #expect(
      message { try ImageDataSet.open(folder.path) }
        == "\(test), line 1: it is not patient, file, class and source; classes are normal, pneumonia, COVID-19, negative and "
        + "positive.")
    try FileManager.default.removeItem(atPath: test)
    #expect(
      message { try ImageDataSet.open(folder.path, as: .covidx) }?.hasPrefix(
        "\(folder.path) cannot be read as COVIDx: it has no list test*.txt; it holds train*.txt and test*.txt") == true)
  }

  // MARK: RSNA pneumonia

  @Test("RSNA: Normal and Lung Opacity, one item per image however many boxes, the third class left out")
  func rsna() throws {
    var (classes, boxes) = (["patientId,class"], ["patientId,x,y,width,height,Target"])
    for index in 0..<10 {
      classes += ["n\(index),Normal", "o\(index),Lung Opacity", "o\(index),Lung Opacity"]
      boxes += ["n\(index),,,,,0", "o\(index),264.0,152.0,213.0,379.0,1", "o\(index),1.0,2.0,3.0,4.0,1"]
      for (offset, kind) in ["n", "o"].enumerated() {
        try folder.radiograph("stage_2_train_images/\(kind)\(index).dcm", seed: 2 * index + offset)
      }
    }
    try folder.table("stage_2_detailed_class_info.csv", classes + ["x,No Lung Opacity / Not Normal"])
    let table = try folder.table("stage_2_train_labels.csv", boxes + ["x,,,,,0"])
    #expect(PublishedDataSet.recognised(at: folder.path) == .rsnaPneumonia)
    let set = try ImageDataSet.open(folder.path)
    try check(set)
    #expect(set.items.count == 20 && set.items(in: .test).count == 4)
    #expect(set.items(in: .train, label: .normal).count == 8 && set.items(in: .train, label: .abnormal).count == 8)
    let item = try #require(set.items.first { $0.patient == "o3" })
    #expect(item.label == .abnormal && item.className == "Lung Opacity" && item.maskPath == nil)
    #expect(item.attributes == ["boxes": "264.0 152.0 213.0 379.0;1.0 2.0 3.0 4.0"])
    #expect(
      item.boxes == [
        LesionBox(left: 264, top: 152, right: 477, bottom: 531), LesionBox(left: 1, top: 2, right: 4, bottom: 6),
      ])
    #expect(set.items.allSatisfy { $0.isMarked == ($0.label == .abnormal) })
    let again = try JSONDecoder().decode(ImageDataSet.self, from: JSONEncoder().encode(set))
    #expect(again == set)
    try folder.table("stage_2_train_labels.csv", boxes + ["o1,1,2,3,0,1"])
    #expect(
      message { try ImageDataSet.open(folder.path) }
        == "\(table), line 32, column height: the box has no height.")
    try folder.table("stage_2_train_labels.csv", boxes)

    try folder.table("stage_2_detailed_class_info.csv", ["patientId,class", "n0,Normal", "n0,Lung Opacity"])
    #expect(
      message { try ImageDataSet.open(folder.path) }?.contains("line 3, column class: the image is Normal on line 2.")
        == true)
    try FileManager.default.removeItem(atPath: table)
    #expect(
      message { try ImageDataSet.open(folder.path) }?.hasPrefix(
        "\(folder.path) cannot be read as RSNA pneumonia: \(table) does not exist; it holds") == true)
  }

  // MARK: VinDr-CXR

  @Test("VinDr-CXR of PhysioNet: normal by all readers, the publisher's test images, boxes beside")
  func vinDr() throws {
    try folder.table(
      "annotations/image_labels_train.csv",
      [
        "image_id,rad_id,Aortic enlargement,No finding", "a,R1,0,1", "a,R2,0,1", "a,R3,0,1", "b,R1,0,1", "b,R2,1,0",
        "b,R3,0,1",
      ])
    try folder.table(
      "annotations/annotations_train.csv",
      [
        "image_id,rad_id,class_name,x_min,y_min,x_max,y_max", "a,R1,No finding,,,,",
        "b,R2,Aortic enlargement,10.5,20,30,40",
      ])
    try folder.table("annotations/image_labels_test.csv", ["image_id,Aortic enlargement,No finding", "c,0,1", "d,1,0"])
    for (seed, name) in ["train/a", "train/b", "test/c", "test/d"].enumerated() {
      try folder.radiograph("\(name).dicom", seed: seed)
    }
    #expect(PublishedDataSet.recognised(at: folder.path) == .vinDrCXR)
    let set = try ImageDataSet.open(folder.path)
    try check(set)
    #expect(set.items.map(\.name) == ["train/a.dicom", "train/b.dicom", "test/c.dicom", "test/d.dicom"])
    #expect(set.items.map(\.label) == [.normal, .abnormal, .normal, .abnormal])
    #expect(set.items.map { $0.attributes["boxes"] } == [nil, "10.5 20 30 40", nil, nil])
    #expect(set.items.map(\.boxes) == [nil, [LesionBox(left: 10.5, top: 20, right: 30, bottom: 40)], nil, nil])
    try FileManager.default.removeItem(atPath: folder.path + "/test/c.dicom")
    #expect(
      message { try ImageDataSet.open(folder.path) }?.contains(
        "image_labels_test.csv, line 2, column image_id: \(folder.path)/test/c.dicom does not exist") == true)
  }

  @Test("VinDr-CXR of Kaggle: one table, test images drawn from train")
  func vinDrKaggle() throws {
    var rows = ["image_id,class_name,class_id,rad_id,x_min,y_min,x_max,y_max"]
    for index in 0..<5 {
      rows += (1...3).map { "n\(index),No finding,14,R\($0),,,," }
      rows += ["s\(index),No finding,14,R1,,,,", "s\(index),Cardiomegaly,3,R2,691,1375,1653,1831"]
      for kind in ["n", "s"] { try folder.radiograph("train/\(kind)\(index).dicom", seed: index) }
    }
    let table = try folder.table("train.csv", rows)
    #expect(PublishedDataSet.recognised(at: folder.path) == .vinDrCXR)
    let set = try ImageDataSet.open(folder.path)
    try check(set)
    #expect(set.items.allSatisfy { ($0.label == .normal) == $0.name.hasPrefix("train/n") })
    #expect(set.items(in: .test, label: .normal).count == 1 && set.items(in: .test, label: .abnormal).count == 1)
    try folder.table("train.csv", rows.map { $0.replacingOccurrences(of: "x_max", with: "right") })
    #expect(
      message { try ImageDataSet.open(folder.path) }
        == "\(table): it has no column x_max; its columns are image_id, class_name, class_id, rad_id, x_min, y_min, right, "
        + "y_max.")
  }
}
