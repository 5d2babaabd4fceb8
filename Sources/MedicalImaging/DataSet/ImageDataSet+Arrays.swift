import Foundation

extension ImageDataSet {
  /// The data set in a NumPy archive laid out as MedMNIST is (Yang et al. 2023): `train_images` and `train_labels`, usually
  /// also those of `val` and `test`; the splits may be spelled as class folders may (see `classFolders`).
  ///
  /// Images are `[n, h, w]` or `[n, h, w, 3]`, volumes `[n, d, h, w]`. Labels are whole numbers, `[n]` or `[n, 1]`, one for
  /// each image; or `[n, k]`, for each image which of k findings it has, not 0 where it has one. An image without a finding is
  /// normal, as is one whose labels, or findings counted from 0, all are among `normalLabels`. A mask of an abnormal image lies
  /// at its place in `train_masks` and so on.
  /// - Parameter normalLabels: the labels that are normal, separated by commas; nil only where images have findings.
  /// - Throws: `DataSetError`, when the file cannot be read, its arrays do not belong together, or it is not told which labels
  ///   are normal.
  public static func arrays(at path: String, normalLabels: String? = nil) throws(DataSetError) -> ImageDataSet {
    let file: NumPyFile.Contents
    do { file = try NumPyFile.open(path) } catch { throw .notReadable(error) }
    var items: [DataItem] = []
    var (counts, hasFindings) = ([String: Int](), false)
    for (split, prefix) in try arraySplits(of: file) {
      let images = try array("\(prefix)_images", in: file)
      let count = images?.shape.first ?? 0
      let labels = try array("\(prefix)_labels", in: file)
      guard labels.map({ $0.shape.first == count }) ?? true else {
        throw .arraysUnusable(
          path: path,
          reason:
            "\(prefix)_images holds \(count) images and \(prefix)_labels is of shape \(labels?.shape ?? []); give each "
            + "image its own")
      }
      hasFindings = hasFindings || labels?.shape.count == 2 && labels?.shape.last != 1
      let found = try labels.map { array throws(DataSetError) in
        try findings(in: array, called: "\(prefix)_labels", at: path)
      }
      let masks = try array("\(prefix)_masks", in: file) != nil
      for index in 0..<count {
        let number = numbered(index, of: count)
        let classes = found?[index]
        classes?.forEach { counts[$0, default: 0] += 1 }
        items.append(
          DataItem(
            name: "\(prefix)_images/\(number)", path: "\(path)#\(prefix)_images/\(number)",
            className: classes.map { $0.isEmpty ? "none" : $0.joined(separator: "+") }, split: split,
            maskPath: masks ? "\(path)#\(prefix)_masks/\(number)" : nil))
      }
    }
    guard !items.isEmpty else { throw .arraysUnusable(path: path, reason: "its arrays hold no images") }
    try mark(&items, normal: normalLabels, counts: counts, hasFindings: hasFindings, path: path)
    return ImageDataSet(layout: .arrays, items: items.sorted(by: DataItem.inOrder))
  }

  /// Gives items their labels, and keeps the masks of the abnormal ones.
  private static func mark(
    _ items: inout [DataItem], normal: String?, counts: [String: Int], hasFindings: Bool, path: String
  ) throws(DataSetError) {
    let found = counts.keys.sorted { ($0.count, $0) < ($1.count, $1) }
    let normal = normal?.split(separator: ",").map { $0.filter { $0 != " " } } ?? []
    guard !normal.isEmpty || hasFindings || counts.isEmpty else {
      throw .normalLabelsUnclear(path: path, labels: found.map { "\($0) (\(counts[$0] ?? 0) images)" })
    }
    for name in normal where counts[name] == nil { throw .noSuchClass(path: path, name: name, classes: found) }
    for index in items.indices {
      guard let className = items[index].className else { continue }
      let isNormal = className == "none" || className.split(separator: "+").allSatisfy { normal.contains(String($0)) }
      items[index].label = isNormal ? .normal : .abnormal
      if isNormal { items[index].maskPath = nil }
    }
  }

  /// The splits whose images an archive holds, and how their arrays' names begin.
  private static func arraySplits(of file: NumPyFile.Contents) throws(DataSetError) -> [(DataItem.Split, String)] {
    var found: [(DataItem.Split, String)] = []
    for split in DataItem.Split.allCases {
      let prefixes = split.spellings.sorted().filter { file.names.contains("\($0)_images") }
      guard prefixes.count <= 1 else {
        throw .arraysUnusable(
          path: file.path,
          reason:
            "several arrays are the same split (\(prefixes.map { $0 + "_images" }.joined(separator: ", "))); keep one")
      }
      found += prefixes.map { (split, $0) }
    }
    guard !found.isEmpty else {
      throw .arraysUnusable(
        path: file.path,
        reason: "it needs the arrays train_images and train_labels, and usually test_images and test_labels; found "
          + (file.names.isEmpty ? "none" : file.names.joined(separator: ", ")))
    }
    return found
  }

  private static func array(_ name: String, in file: NumPyFile.Contents) throws(DataSetError) -> NumPyArray? {
    let array: NumPyArray?
    do { array = try file.array(name) } catch { throw .notReadable(error) }
    guard array?.shape.contains(0) != true else {
      throw .arraysUnusable(path: file.path, reason: "\(name) is empty; leave it out")
    }
    return array
  }

  /// The labels or findings of each image, as texts.
  private static func findings(
    in array: NumPyArray, called name: String, at path: String
  ) throws(DataSetError) -> [[String]] {
    let columns = array.shape.count == 2 ? array.shape[1] : 1
    guard array.header.kind != .floating, (1...2).contains(array.shape.count) else {
      throw .arraysUnusable(
        path: path,
        reason:
          "\(name) is \(array.header.typeName) of \(array.shape.count) dimensions; labels are whole numbers of one or two"
      )
    }
    let values = array.values()
    guard columns != 1 else { return values.map { [Int(exactly: $0).map(String.init) ?? "\($0)"] } }
    return (0..<array.shape[0]).map { row in
      (0..<columns).filter { values[row * columns + $0] != 0 }.map(String.init)
    }
  }

  /// A number with as many digits as the last one has, so that the order of names is that of numbers.
  private static func numbered(_ index: Int, of count: Int) -> String {
    let digits = String(index)
    return String(repeating: "0", count: max(0, String(count - 1).count - digits.count)) + digits
  }

  // MARK: Arrays to be scored

  /// The paths of the images that an archive, one of its arrays or a place in one stands for.
  static func arrayImages(in place: ImagePath) throws(DataSetError) -> [String] {
    let file: NumPyFile.Contents
    do { file = try NumPyFile.open(place.file) } catch { throw .notReadable(error) }
    if let part = place.part, !file.names.contains(part) { return [place.path] }
    let names = place.part.map { [$0] } ?? file.names.filter { $0 == "images" || $0.hasSuffix("_images") }
    guard !names.isEmpty else {
      throw .arraysUnusable(
        path: place.file,
        reason: "none of its arrays is called images or ends in _images; name one behind a #, among: "
          + file.names.joined(separator: ", "))
    }
    var paths: [String] = []
    for name in names {
      let count = try array(name, in: file)?.shape.first ?? 0
      paths += (0..<count).map { "\(place.file)#\(name)/\(numbered($0, of: count))" }
    }
    return paths
  }
}
