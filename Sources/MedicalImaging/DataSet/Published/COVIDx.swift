import Foundation

/// COVIDx and COVIDx CXR-2 to 4: Wang, Lin & Wong, "COVID-Net", Scientific Reports 10, 2020; Pavlova et al., "COVIDx CXR-3",
/// 2022; Wu et al., "COVIDx CXR-4", 2023.
///
/// Layout: text lists `train*.txt` and `test*.txt`, CXR-4 also `val*.txt`, one image a line: patient, file name, class and
/// source with a space between; the file lies in the folder `train`, `test` or `val`. Normal: `normal` in the lists of three
/// classes (normal, pneumonia, COVID-19), `negative` in those of two. `negative` means without COVID-19 and covers pneumonia
/// of other causes; the lists of three classes are the better ones for anomaly detection. The lists are the splits; SimSID
/// (§4.1) draws its own from version 9, which is not published. Patients count per source, whose numberings are independent.
enum COVIDx: PublishedLayout {
  static let title = "COVIDx"
  static let source = "Wang et al., Sci. Rep. 10, 2020; Pavlova et al. 2022; Wu et al. 2023"
  static let files =
    "train*.txt and test*.txt (lines of patient, file, class, source), possibly val*.txt, and the folders "
    + "train, test and val"
  static let protocolNote =
    "normal: normal, or negative in lists of two classes, which covers other pneumonia; the publisher's lists are the splits"
  static let parts: String? = "a part of the lists' names where there are several, for example 9A"

  private static let normalClasses: Set<String> = ["normal", "negative"]
  private static let abnormalClasses: Set<String> = ["pneumonia", "covid-19", "positive"]
  private static let folders: [(String, DataItem.Split)] = [("train", .train), ("val", .validation), ("test", .test)]

  static func isRecognised(at root: String) -> Bool {
    guard let listing = try? FolderListing(root), let list = lists("train", in: listing, part: nil).first,
      let head = try? FileContents.head(FolderListing.join(root, list), count: 1024),
      let line = String(decoding: head, as: UTF8.self).split(whereSeparator: \.isNewline).first
    else { return false }
    return fields(of: line) != nil && !lists("test", in: listing, part: nil).isEmpty
  }

  static func dataSet(at root: String, _ choices: DataSetChoices) throws(DataSetError) -> ImageDataSet {
    let listing = try FolderListing(root)
    var items: [DataItem] = []
    var patients = PatientSplits()
    for (folder, split) in folders {
      let names = lists(folder, in: listing, part: choices.part)
      guard names.count <= 1 else {
        throw mistake(
          root,
          "there are several lists (\(names.joined(separator: ", "))); choose with data.part, for example "
            + "data.part=\(names[0].dropFirst(folder.count).dropLast(4))")
      }
      guard let name = names.first else {
        if split == .validation { continue }
        throw mistake(
          root,
          "it has no list \(folder)*.txt\(choices.part.map { " with \($0) in its name" } ?? ""); it holds \(files)")
      }
      items += try read(FolderListing.join(root, name), folder: folder, split: split, root: root, &patients)
    }
    return try dataSet(of: items, at: root)
  }

  private static func read(
    _ path: String, folder: String, split: DataItem.Split, root: String, _ patients: inout PatientSplits
  ) throws(DataSetError) -> [DataItem] {
    let data: Data
    do { data = try FileContents.read(path) } catch { throw .notReadable(error) }
    var items: [DataItem] = []
    let name = (path as NSString).lastPathComponent
    let lines = String(decoding: data, as: UTF8.self).split(
      omittingEmptySubsequences: false, whereSeparator: \.isNewline)
    for (index, line) in lines.enumerated() where !line.allSatisfy(\.isWhitespace) {
      func wrong(_ reason: String) -> DataSetError {
        .manifest(path: path, line: index + 1, column: nil, reason: reason)
      }
      guard let fields = fields(of: line) else {
        throw wrong(
          "it is not patient, file, class and source; classes are normal, pneumonia, COVID-19, negative and positive")
      }
      let image = "\(folder)/\(fields.file)"
      let file = FolderListing.join(root, image)
      guard FileManager.default.fileExists(atPath: file) else {
        throw wrong("\(file) does not exist; unpack the images beside the lists as they are shipped")
      }
      let patient = fields.source.isEmpty ? fields.patient : "\(fields.source)/\(fields.patient)"
      if let reason = patients.add(patient, split, place: "line \(index + 1) of \(name)") { throw wrong(reason) }
      items.append(
        DataItem(
          name: image, path: file, label: normalClasses.contains(fields.label.lowercased()) ? .normal : .abnormal,
          className: fields.label, split: split, patient: patient,
          attributes: fields.source.isEmpty ? [:] : ["source": fields.source]))
    }
    return items
  }

  /// The parts of a line; the first lists have no source, and a file's name may hold spaces.
  private static func fields(
    of line: Substring
  ) -> (patient: String, file: String, label: String, source: String)? {
    let words = line.split(separator: " ").map(String.init)
    let known = normalClasses.union(abnormalClasses)
    guard words.count >= 3 else { return nil }
    let last = words.count - 1
    let place = words.count > 3 && known.contains(words[last - 1].lowercased()) ? last - 1 : last
    guard known.contains(words[place].lowercased()) else { return nil }
    return (
      words[0], words[1..<place].joined(separator: " "), words[place],
      words[(place + 1)...].joined(separator: " ")
    )
  }

  private static func lists(_ split: String, in listing: FolderListing, part: String?) -> [String] {
    listing.files.filter { name in
      let lower = name.lowercased()
      return lower.hasPrefix(split) && lower.hasSuffix(".txt") && part.map { lower.contains($0.lowercased()) } ?? true
    }
  }
}
