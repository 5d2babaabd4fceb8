import Foundation

extension ImageDataSet {
  /// The data set that a table tells: a CSV or TSV file (RFC 4180) whose first line names the columns, in any order and case.
  ///
  /// | column | holds |
  /// |---|---|
  /// | `path` | the image, relative to the manifest's folder or absolute; one of several in a file with its number behind a `#` |
  /// | `label` | `normal` or 0, `abnormal` or 1, `unknown` or nothing |
  /// | `split` | `train`, `validation` or `test`, spelled as class folders may be; nothing: `test` |
  /// | `patient` | whom the image shows; nothing: an image of its own |
  /// | `mask` | the mask of the abnormal pixels |
  /// | `paired` | the image of another modality on the same grid |
  ///
  /// All but `path` may be left out. Without a column `patient`, patients are told from file names (see `PatientName`). Every
  /// other column is kept in `DataItem.attributes`. Images of one patient must lie in one split: what is learned from the one
  /// would be measured on the other.
  /// - Throws: `DataSetError`, naming line and column.
  public static func manifest(at path: String) throws(DataSetError) -> ImageDataSet {
    let table = try ManifestTable(path)
    let reader = ManifestReader(path: path, columns: table.columns)
    guard reader.has(.path) else {
      throw .manifest(
        path: path, line: nil, column: nil,
        reason: "it has no column path; its columns are \(table.columns.joined(separator: ", "))")
    }
    guard !table.rows.isEmpty else {
      throw .manifest(path: path, line: nil, column: nil, reason: "it names no images")
    }
    var items: [DataItem] = []
    var lines: [String: Int] = [:]
    var patients: [String: (split: DataItem.Split, line: Int)] = [:]
    for row in table.rows {
      let item = try reader.item(row)
      if let line = lines.updateValue(row.line, forKey: item.path) {
        throw reader.mistake(row, .path, "the same image is on line \(line); name each once")
      }
      if reader.has(.patient), let patient = item.patient {
        let first = patients[patient] ?? (item.split, row.line)
        guard first.split == item.split else {
          throw reader.mistake(
            row, .patient,
            "the patient is in \(item.split.rawValue) here and in \(first.split.rawValue) on line \(first.line); put all "
              + "images of a patient into one split")
        }
        patients[patient] = first
      }
      items.append(item)
    }
    return ImageDataSet(layout: .manifest, items: items.sorted(by: DataItem.inOrder))
  }
}

/// Makes items of a manifest's rows.
private struct ManifestReader {
  /// The columns with a meaning.
  enum Column: String, CaseIterable {
    case path, label, split, patient, mask, paired
  }

  let path: String
  private let folder: String
  private let columns: [String]
  private let places: [Column: Int]

  init(path: String, columns: [String]) {
    (self.path, self.columns) = (path, columns)
    folder = (path as NSString).deletingLastPathComponent
    var places: [Column: Int] = [:]
    for (index, name) in columns.enumerated() {
      if let column = Column(rawValue: name.lowercased()) { places[column] = index }
    }
    self.places = places
  }

  func has(_ column: Column) -> Bool { places[column] != nil }

  func mistake(_ row: ManifestTable.Row, _ column: Column, _ reason: String) -> DataSetError {
    .manifest(path: path, line: row.line, column: places[column].map { columns[$0] }, reason: reason)
  }

  func item(_ row: ManifestTable.Row) throws(DataSetError) -> DataItem {
    guard let name = text(row, .path) else { throw mistake(row, .path, "it is empty; name the image's file") }
    let others = columns.indices.filter { !places.values.contains($0) && !row.fields[$0].isEmpty }
    return DataItem(
      name: name, path: try file(row, .path) ?? name, label: try label(row), split: try split(row),
      patient: has(.patient)
        ? text(row, .patient) : PatientName.patient(inFileName: (name as NSString).lastPathComponent),
      maskPath: try file(row, .mask), pairedPath: try file(row, .paired),
      attributes: Dictionary(uniqueKeysWithValues: others.map { (columns[$0], row.fields[$0]) }))
  }

  /// What stands in a column, without spaces around it; nil where nothing does.
  private func text(_ row: ManifestTable.Row, _ column: Column) -> String? {
    guard let place = places[column] else { return nil }
    let text = row.fields[place].trimmingCharacters(in: .whitespaces)
    return text.isEmpty ? nil : text
  }

  private func file(_ row: ManifestTable.Row, _ column: Column) throws(DataSetError) -> String? {
    guard let name = text(row, column) else { return nil }
    let full = name.hasPrefix("/") || folder.isEmpty ? name : FolderListing.join(folder, name)
    guard FileManager.default.fileExists(atPath: ImagePath(full).file) else {
      throw mistake(row, column, "\(full) does not exist; paths are relative to the manifest's folder")
    }
    return full
  }

  private func label(_ row: ManifestTable.Row) throws(DataSetError) -> DataItem.Label? {
    switch text(row, .label)?.lowercased() {
    case "normal", "0": return .normal
    case "abnormal", "1": return .abnormal
    case "unknown", nil: return nil
    case .some(let other): throw mistake(row, .label, "\(other) is no label; give normal, abnormal or unknown")
    }
  }

  private func split(_ row: ManifestTable.Row) throws(DataSetError) -> DataItem.Split {
    guard let text = text(row, .split)?.lowercased() else { return .test }
    guard let split = DataItem.Split.allCases.first(where: { $0.spellings.contains(text) }) else {
      throw mistake(row, .split, "\(text) is no split; give train, validation or test")
    }
    return split
  }
}
