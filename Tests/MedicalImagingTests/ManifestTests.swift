import Foundation
import MedicalImaging
import Testing

@Suite("ImageDataSet, manifests")
struct ManifestTests {
  private let folder: TemporaryFolder

  init() throws {
    folder = try TemporaryFolder()
    for name in ["a.png", "deep/b.png", "c, d.png", "masks/b.png", "IM-0115-0001.jpeg"] { try folder.write(name) }
    try folder.write("stack.npy")
  }

  private func manifest(_ text: String, _ name: String = "set.csv") throws -> String {
    try folder.write(name, Data(text.utf8))
  }

  @Test("Columns give path, label, split, patient and mask; all others are kept by their names")
  func columns() throws {
    let path = try manifest(
      """
      Split,path,label,age,patient,mask,Finding
      test,deep/b.png,abnormal,61,p2,masks/b.png,"nodule, left"
      Training, a.png ,Normal,,p1,,
      val,\(folder.path)/masks/b.png,0,,p3,,none
      ,stack.npy#3,1,,,,
      TEST,"c, d.png",unknown,7,,,

      """)
    let set = try ImageDataSet.open(path)
    #expect(set.layout == .manifest)
    #expect(
      set.items.map(\.name) == ["a.png", "\(folder.path)/masks/b.png", "c, d.png", "deep/b.png", "stack.npy#3"])
    #expect(set.items.map(\.split) == [.train, .validation, .test, .test, .test])
    #expect(set.items.map(\.label) == [.normal, .normal, nil, .abnormal, .abnormal])
    #expect(set.items.map(\.patient) == ["p1", "p3", nil, "p2", nil])
    #expect(set.items[3].path == folder.path + "/deep/b.png" && set.items[3].maskPath == folder.path + "/masks/b.png")
    #expect(set.items[3].attributes == ["age": "61", "Finding": "nodule, left"])
    #expect(set.items.map { $0.attributes["age"] } == [nil, nil, "7", "61", nil])
    #expect(set.items[4].path == folder.path + "/stack.npy#3")
  }

  @Test(
    "RFC 4180: quotes, doubled quotes, line breaks within quotes, either line break, a byte order mark, tabs",
    arguments: [("\n", ",", "csv"), ("\r\n", ",", "csv"), ("\n", "\t", "tsv"), ("\r\n", "\t", "TSV")])
  func quoting(_ lineBreak: String, _ separator: String, _ ending: String) throws {
    let rows = [
      ["\u{FEFF}path", "\"note\"", "more"], ["a.png", "\"says \"\"no\"\"\"", "x"],
      ["deep/b.png", "\"two\(lineBreak)lines\(separator)one field\"", "\"\""], ["\"c, d.png\"", "", "é"],
    ]
    let text = rows.map { $0.joined(separator: separator) }.joined(separator: lineBreak + lineBreak)
    let items = try ImageDataSet.open(manifest(text, "set.\(ending)")).items
    #expect(items.map(\.name) == ["a.png", "c, d.png", "deep/b.png"])
    #expect(items[0].attributes == ["note": "says \"no\"", "more": "x"])
    #expect(items[1].attributes == ["more": "é"])
    #expect(items[2].attributes == ["note": "two\(lineBreak)lines\(separator)one field"])
  }

  @Test("Without a column of patients these are told from file names")
  func patients() throws {
    let items = try ImageDataSet.open(manifest("path\nIM-0115-0001.jpeg\na.png\n")).items
    #expect(items.map(\.patient) == ["IM-0115", nil] && items.allSatisfy { $0.label == nil && $0.split == .test })
  }

  @Test(
    "A mistake is named with its line and column",
    arguments: [
      ("", ": it is empty; its first line names the columns."),
      ("path,label\n", ": it names no images."),
      ("file;label\na.png;0\n", ": it has no column path; its columns are file;label."),
      ("path,PATH\na.png,b\n", ", line 1, column PATH: two columns have this name; keep one."),
      ("path,,label\n", ", line 1: column 2 has no name."),
      (
        "path,label\na.png,0\ndeep/b.png\n",
        ", line 3: it has 1 fields and the header 2; put fields with separators into quotes."
      ),
      ("path,label\na.png,ill\n", ", line 2, column label: ill is no label; give normal, abnormal or unknown."),
      ("path,split\n\na.png,later\n", ", line 3, column split: later is no split; give train, validation or test."),
      ("path,label\n,0\n", ", line 2, column path: it is empty; name the image's file."),
      (
        "path\na.png\n\"deep/b.png\"\na.png\n", ", line 4, column path: the same image is on line 2; name each once."
      ),
      ("path,note\na.png,\"open\nand on\n", ", line 2: a quote is opened and never closed."),
      ("path,note\na.png,\"x\"y\n", ", line 2: text follows a closing quote; double quotes within quotes."),
      (
        "path,note\n\"a.png\",5\" wide\n",
        ", line 2: a quote stands within a field; put the whole field into quotes and double it."
      ),
      (
        "path,split,Patient\na.png,train,p1\n\"c, d.png\",test,p2\ndeep/b.png,test,p1\n",
        ", line 4, column Patient: the patient is in test here and in train on line 2; put all images of a patient into one "
          + "split."
      ),
    ])
  func mistakes(_ text: String, _ sentence: String) throws {
    let path = try manifest(text)
    #expect(message { try ImageDataSet.open(path) } == path + sentence)
  }

  @Test("A file that is not there is named with its line, and a manifest that is not text or not there too")
  func files() throws {
    let path = try manifest("path,mask\na.png,\ndeep/b.png,masks/none.png\n")
    #expect(
      message { try ImageDataSet.open(path) }
        == "\(path), line 3, column mask: \(folder.path)/masks/none.png does not exist; paths are relative to the manifest's "
        + "folder.")
    let bytes = try folder.write("latin.csv", Data([0x70, 0x61, 0x74, 0x68, 0x0A, 0xE9, 0x0A]))
    #expect(message { try ImageDataSet.open(bytes) } == "\(bytes): it is not UTF-8; save it as UTF-8.")
    let missing = folder.path + "/none.csv"
    #expect(message { try ImageDataSet.open(missing) } == "\(missing) does not exist; check the path.")
  }

  @Test("To be scored, a manifest stands for its images; one that is named twice is taken once")
  func scoring() throws {
    let path = try manifest("path,label,site\na.png,1,A\ndeep/b.png,,B\n")
    let items = try ImageDataSet.files(at: [folder.path + "/a.png", path]).items
    #expect(items.map(\.path) == [folder.path + "/a.png", folder.path + "/deep/b.png"])
    #expect(items.map { $0.attributes["site"] } == [nil, "B"])
  }

  @Test("Patients of a manifest are set aside whole")
  func validation() throws {
    for index in 0..<8 { try folder.write("images/\(index).png") }
    let rows = (0..<8).map { "images/\($0).png,normal,train,\($0 / 2)" }
    let path = try manifest((["path,label,split,patient"] + rows).joined(separator: "\n"))
    let set = try ImageDataSet.open(path).settingAsideValidation(normal: 4, abnormal: 0, seed: 3)
    let patients = set.items(in: .validation).compactMap(\.patient)
    #expect(patients.count == 4 && Set(patients).count == 2)
  }
}
