import Foundation
import Testing

@testable import MedicalImaging

@Suite("Results as DICOM")
struct DICOMWritingTests {
  private typealias Sources = DICOMWrittenSources
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func series(_ slices: [DICOMWriter]) throws -> DICOMSource {
    let name = UUID().uuidString
    for (index, slice) in slices.enumerated() { try folder.write("\(name)/\(index)", slice.file) }
    return try DICOMSource.read(folder.path + "/" + name, isVolume: true)
  }

  private func image(_ image: DICOMWriter) throws -> DICOMSource {
    try DICOMSource.read(folder.write(UUID().uuidString, image.file), isVolume: false)
  }

  private func content(_ path: String) throws -> DICOMItem {
    try DICOMFile(FileContents.read(path), path: path).content
  }

  private func close(_ first: Affine3D, _ second: Affine3D) -> Bool {
    zip(first.matrix.joined(), second.matrix.joined()).allSatisfy { abs($0 - $1) < 1e-9 }
  }

  /// Both files of a source, the map brought to the patient's axes before, as results are.
  private func write(_ source: DICOMSource, by writer: inout DICOMArchiveWriter) throws -> (
    overlay: String, map: String
  ) {
    let place = folder.path + "/" + UUID().uuidString
    let paths = (place + "-overlay.dcm", place + "-map.dcm")
    try writer.writeOverlay(named: "residual", of: source, to: paths.0, picture: Sources.picture)
    var map = Sources.map(on: source.grid)
    if case .volume(let volume) = map { map = .volume(volume.canonical) }
    try writer.writeMap(map, named: "residual", displayRange: -1...3, of: source, to: paths.1)
    return paths
  }

  private func write(_ source: DICOMSource) throws -> (overlay: String, map: String) {
    var writer = DICOMArchiveWriter(equipment: Sources.equipment)
    return try write(source, by: &writer)
  }

  // MARK: Pixels and places

  @Test("The map of a series is read back with its values and its place, whatever the order of slices and of voxels")
  func series() throws {
    for (name, source) in [
      ("CT", try series(Sources.slices([2, 0, 1]))), ("PET", try series(Sources.slices([1, 2, 0], modality: "PT"))),
      (
        "one file",
        try DICOMSource.read(folder.write("enhanced", Sources.enhanced().file), isVolume: true)
      ),
    ] {
      let files = try write(source)
      let map = try VolumeReader.read(files.map)
      #expect(map.samples == Sources.map(on: source.grid).samples, "\(name)")
      #expect(map.grid.extents == [3, 4, 5])
      #expect(close(map.affine, try VolumeReader.read(source.path).affine), "\(name)")
      let window = try #require(try DICOMImage.read(files.map).frames[0].windows.first?.range)
      #expect(window == -1...3)
      let overlay = try DICOMImage.read(files.overlay)
      #expect(overlay.pixels.frames == 3 && overlay.pixels.samplesPerPixel == 3)
      for slice in 0..<3 {
        #expect(try overlay.image(frame: slice).samples == Sources.picture(slice).samples)
        let place = try #require(overlay.frames[slice].place)
        let away = place.position - Sources.place(slice)
        #expect((away * away).sum() < 1e-18 && place.spacing == PixelSpacing(row: 0.75, column: 0.5))
      }
    }
  }

  @Test("Every frame refers to its slice, and the object to the whole series")
  func references() throws {
    for (source, frames) in [
      (try series(Sources.slices([2, 0, 1])), [nil, nil, nil]),
      (try DICOMSource.read(folder.write("enhanced", Sources.enhanced().file), isVolume: true), [2, 3, 1]),
    ] {
      let files = try write(source)
      for path in [files.overlay, files.map] {
        let content = try content(path)
        #expect(content.items(.frameGroups).count == 3)
        for index in 0..<3 {
          // A map tells frame by frame, an overlay for all frames together, in their order.
          let derived = path == files.map ? content.items(.frameGroups)[index].items(.derivationImages)[0] : content
          #expect(derived.text(.derivationDescription)?.contains("'residual' by Norma test, Norma 0.0.1") == true)
          let reference = derived.items(.sourceImages)[path == files.map ? 0 : index]
          let object = frames[index] == nil ? index + 1 : 1
          #expect(reference.text(.referencedInstance) == "\(Sources.series).\(object)")
          #expect(reference.text(.referencedClass) == "1.2.840.10008.5.1.4.1.1.2" + (frames[index] == nil ? "" : ".1"))
          #expect(reference.number(.referencedFrame) == frames[index].map(Double.init))
          #expect(reference.text(.locationsPreserved) == "YES")
        }
        let referenced = try #require(content.items(.referencedSeries).first)
        #expect(referenced.text(.series) == Sources.series)
        let objects = frames[0] == nil ? (1...3).map { "\(Sources.series).\($0)" } : ["\(Sources.series).1"]
        #expect(referenced.items(.referencedInstances).map { $0.text(.referencedInstance) } == objects)
      }
    }
  }

  @Test("One slice with its place has a parametric map of one frame")
  func slice() throws {
    let source = try image(Sources.slices([1])[0])
    let files = try write(source)
    let map = try DICOMImage.read(files.map)
    #expect(map.values() == Sources.map(on: source.grid).samples && map.header.sopClass == ParametricMap.sopClass)
    let place = try #require(map.frames[0].place)
    let away = place.position - Sources.place(1)
    #expect((away * away).sum() < 1e-18)
    #expect(try ImageReader.read(files.map).samples == map.values())
    let overlay = try DICOMImage.read(files.overlay)
    #expect(overlay.header.sopClass == "1.2.840.10008.5.1.4.1.1.7" && overlay.frames[0].place == place)
    #expect(overlay.header.frameOfReference == Sources.frame && overlay.header.sliceThickness == 2.5)
  }

  @Test("A projection has no place: its map is a capture of 16 bits, each value within half a step of its own")
  func projection() throws {
    let source = try image(Sources.radiograph())
    let files = try write(source)
    let (map, expected) = (try DICOMImage.read(files.map), Sources.map(on: source.grid).samples)
    #expect(map.header.sopClass == "1.2.840.10008.5.1.4.1.1.7" && map.pixels.bitsStored == 16)
    let extent = try #require(expected.max()) - expected.min()!
    for (found, value) in zip(map.values(), expected) { #expect(abs(found - value) <= extent / 131070 + 1e-6) }
    #expect(map.frames[0].windows.first?.range == -1...3)
    let overlay = try DICOMImage.read(files.overlay)
    #expect(try overlay.image().samples == Sources.picture(0).samples)
    #expect(overlay.header.pixelSpacing == PixelSpacing(row: 0.2, column: 0.2))
    let content = try content(files.overlay)
    #expect(content.texts(.patientOrientation) == ["L", "F"])
    #expect(content.items(.sourceImages).map { $0.text(.referencedInstance) } == ["\(Sources.series).1"])
    // A map of one value only.
    var writer = DICOMArchiveWriter(equipment: Sources.equipment)
    let flat = MedicalImage([Float](repeating: 0.1, count: 20), on: source.grid, range: 0...1)
    try writer.writeMap(flat, named: "flat", displayRange: 0...0, of: source, to: files.map)
    #expect(try DICOMImage.read(files.map).values() == flat.samples)
  }

  @Test("Sides and directions are the source's; directions follow from its place where it does not tell them")
  func orientation() throws {
    let oblique = try content(write(series(Sources.slices([0, 1]))).overlay)
    // Rows run along (0.8, 0.6, 0), columns along (-0.36, 0.48, 0.8).
    #expect(oblique.texts(.patientOrientation) == ["LP", "HPR"] && oblique.bytes(.laterality).isEmpty)
    let left = try content(write(image(Sources.radiograph { $0.set(0x0020_0060, "CS", "L") })).map)
    #expect(left.text(.laterality) == "L" && left.texts(.patientOrientation) == ["L", "F"])
    let both = try content(write(image(Sources.radiograph { $0.set(0x0020_0062, "CS", "B") })).map)
    #expect(both.text(.imageLaterality) == "B" && both.text(.laterality) == nil)
    let chest = try content(write(image(Sources.radiograph { $0.set(0x0018_0015, "CS", "CHEST") })).map)
    #expect(chest.text(.bodyPart) == "CHEST" && chest.bytes(.laterality).isEmpty)
    let bare = try content(write(image(Sources.radiograph { $0.set(0x0020_0020, "CS", "left") })).map)
    #expect(bare.bytes(.patientOrientation).isEmpty && bare.text(.lossyCompression) == "00")
    let lossy = try content(
      write(
        image(
          Sources.radiograph {
            $0.set(0x0028_2110, "CS", "01")
            $0.set(0x0028_2112, [12.5])
            $0.set(0x0028_2114, "CS", "ISO_10918_1")
            $0.set(0x0028_0301, "CS", "YES")
          })
      ).overlay)
    #expect(lossy.text(.lossyCompression) == "01" && lossy.numbers(.lossyRatio) == [12.5])
    #expect(lossy.text(.lossyMethod) == "ISO_10918_1" && lossy.text(.burnedIn) == "YES")
  }

  @Test("Numbers become the closest decimals that 16 characters hold")
  func decimals() {
    let cases: [(Double, String)] = [
      (0.1, "0.1"), (-20.125, "-20.125"), (3, "3"), (1e-9, "1e-09"), (1.0 / 3, "0.33333333333333"),
      (-1.0 / 3, "-0.3333333333333"), (-1e-5 / 3, "-3.333333333e-06"), (1e300, "1e+300"), (0, "0"),
    ]
    for (number, text) in cases { #expect(DICOMValue.decimal(number) == text) }
  }

  // MARK: Identity

  @Test("Patient, study and frame of reference are the source's, byte by byte; series and objects are new")
  func identity() throws {
    let (source, other) = (try series(Sources.slices([0, 1, 2])), try image(Sources.radiograph()))
    var writer = DICOMArchiveWriter(equipment: Sources.equipment)
    let files = [try write(source, by: &writer), try write(source, by: &writer), try write(other, by: &writer)]
    let tags: [DICOMTag] = [
      .characterSet, .studyDate, .studyTime, .accessionNumber, .referringPhysician, .studyDescription, .patientName,
      .patientIdentifier, .birthDate, .sex, .age, .study, .studyIdentifier,
    ]
    let original = try content(source.path + "/0")
    let written = try files.flatMap { [$0.overlay, $0.map] }.map(content)
    for item in written {
      for tag in tags {
        #expect(!original.bytes(tag).isEmpty && item.bytes(tag) == original.bytes(tag), "\(tag)")
      }
      #expect(item.text(.manufacturer) == "Norma" && item.text(.softwareVersions) == "0.0.1")
      #expect(item.text(.imageComments) == "Research only." && item.text(.burnedIn) == "NO")
      #expect(item.texts(.imageType).first == "DERIVED")
    }
    #expect(
      written.map { $0.text(.frameOfReference) } == [
        Sources.frame, Sources.frame, Sources.frame, Sources.frame, nil, nil,
      ])
    let objects = written.compactMap { $0.text(.sopInstance) }, series = written.compactMap { $0.text(.series) }
    #expect(Set(objects).count == 6 && objects.allSatisfy { $0.hasPrefix("2.25.") && DICOMUID.isValid($0) })
    // One series for each kind, of this run, of the source's series, which all of these share.
    #expect(series[0] != series[1] && series == [series[0], series[1], series[0], series[1], series[0], series[1]])
    #expect(written.map { $0.number(.instanceNumber) } == [1, 1, 2, 2, 3, 3])
    #expect(written.map { $0.number(.seriesNumber) } == [401, 402, 401, 402, 401, 402])
    var later = DICOMArchiveWriter(equipment: Sources.equipment)
    let again = try content(write(source, by: &later).overlay)
    #expect(!series.contains(again.text(.series) ?? "") && !objects.contains(again.text(.sopInstance) ?? ""))
  }

  @Test("A UID is a UUID as a decimal number, as the standard's example has it")
  func identifiers() throws {
    let identifier = try #require(UUID(uuidString: "f81d4fae-7dec-11d0-a765-00a0c91e6bf6"))
    #expect(DICOMUID.decimal(identifier) == "329800735698586629295641978511506172918")
    let zero = try #require(UUID(uuidString: "00000000-0000-0000-0000-000000000000"))
    let most = try #require(UUID(uuidString: "ffffffff-ffff-ffff-ffff-ffffffffffff"))
    #expect(DICOMUID.decimal(zero) == "0" && DICOMUID.decimal(most) == "340282366920938463463374607431768211455")
    #expect(Set((0..<100).map { _ in DICOMUID.fresh() }).count == 100)
    for text in ["", "1", "1..2", "1.2.", ".1", "1.2a", String(repeating: "1.", count: 32) + "11"] {
      #expect(!DICOMUID.isValid(text))
    }
  }

  @Test("What breaks the rules of its type is left empty and named, and nothing ends the program")
  func hostile() throws {
    let long = String(repeating: "x", count: 65)
    let cases: [(tag: DICOMTag, bytes: Data, kept: String?)] = [
      (.patientName, Data((long + "^y").utf8), nil), (.patientName, Data("a=b=c=d ".utf8), nil),
      (.patientName, Data([0xFF, 0xFE]), nil), (.patientName, Data(repeating: 0x41, count: 70_000), nil),
      (.patientIdentifier, Data(long.utf8) + [0x20], nil), (.patientIdentifier, Data("a\\b ".utf8), nil),
      (.patientIdentifier, Data([0x31, 0, 0x32, 0x20]), nil),
      (.patientIdentifier, Data([0x1B, 0x24, 0x42, 0x20]), nil),
      (.patientIdentifier, Data([0xFE, 0xFF, 0x00, 0xE0, 0, 0, 0, 0]), nil),
      (.accessionNumber, Data("12345678901234567".utf8), nil),
      (.birthDate, Data("1950.02.28".utf8), "19500228"), (.birthDate, Data("19501332".utf8), nil),
      (.birthDate, Data("today ".utf8), nil), (.studyTime, Data("12:30".utf8), "1230"),
      (.studyTime, Data("2560".utf8), nil),
      (.sex, Data("m ".utf8), nil), (.age, Data("old ".utf8), nil), (.patientWeight, Data("inf ".utf8), nil),
      (.patientWeight, Data("70.5".utf8), "70.5"), (.patientName, Data("  \0 ".utf8), nil),
    ]
    for (tag, bytes, kept) in cases {
      let source = try image(
        Sources.radiograph { $0.elements[tag.rawValue] = ("LO", bytes.count < 65535 ? bytes : Data()) })
      let file = try content(write(source).map)
      let isBlank = bytes.count >= 65535 || bytes.allSatisfy { [0, 0x20].contains($0) }
      #expect(file.text(tag) == kept, "\(tag) \(bytes.count)")
      #expect(source.omitted.count == (kept == nil && !isBlank ? 1 : 0), "\(tag) \(source.omitted)")
      #expect(source.omitted.allSatisfy { $0.contains(tag.text) && !$0.contains("xx") })
    }
  }

  @Test("Characters beyond ASCII need a character set, and are counted in it")
  func characters() throws {
    func isKept(_ bytes: [UInt8], _ set: String?) throws -> Bool {
      let source = try image(
        Sources.radiograph { writer in
          writer.elements[0x0008_0005] = nil
          if let set { writer.set(0x0008_0005, "CS", set) }
          for tag in [0x0008_1030, 0x0010_0010] as [UInt32] { writer.elements[tag] = nil }
          writer.elements[0x0010_0020] = ("LO", Data(bytes + (bytes.count % 2 == 0 ? [] : [0x20])))
        })
      return source.omitted.isEmpty
    }
    let umlauts = [UInt8](repeating: 0xE4, count: 64)
    #expect(try isKept(umlauts, "ISO_IR 100"))
    #expect(try !isKept(umlauts + [0xE4], "ISO_IR 100"))
    #expect(try !isKept(umlauts, nil))
    #expect(try !isKept(umlauts, "LATIN"))
    #expect(try !isKept(umlauts, "ISO_IR 192"))
    #expect(try isKept([UInt8](String(repeating: "ä", count: 64).utf8), "ISO_IR 192"))
    #expect(try !isKept([UInt8](String(repeating: "ä", count: 65).utf8), "ISO_IR 192"))
    #expect(try isKept([0x81, 0x5C], "GB18030"))  // the second byte of a character, not a backslash
    #expect(try isKept([0x1B, 0x24, 0x42, 0x3B, 0x33, 0x1B, 0x28, 0x42], "\\ISO 2022 IR 87"))
  }

  @Test("Sources without valid UIDs, other files, and slices of two studies are refused by name")
  func refused() throws {
    for (tag, name) in [
      (0x0020_000D, "study (0020,000D)"), (0x0020_000E, "series (0020,000E)"), (0x0008_0018, "object (0008,0018)"),
      (0x0008_0016, "class (0008,0016)"),
    ] as [(UInt32, String)] {
      for value in [nil, "1.2.x", String(repeating: "1.2", count: 30)] {
        let sentence = message {
          try image(
            Sources.radiograph { writer in
              writer.elements[tag] = nil
              if let value { writer.set(tag, "UI", value) }
            })
        }
        #expect(sentence?.contains("the UID of its \(name) is missing or none") == true)
      }
    }
    let picture = Golden.image("grey8.png")
    #expect(!DICOMSource.exists(at: picture))
    #expect(
      message { try DICOMSource.read(picture, isVolume: false) }
        == "\(picture) cannot be used: it is no DICOM, and what goes to an archive belongs to something that is.")
    var slices = Sources.slices([0, 1])
    slices[1].set(0x0020_000D, "UI", "1.2.3")
    #expect(message { try series(slices) }?.hasSuffix("its slices belong to several studies.") == true)
  }

  @Test("Pictures and maps of another grid, and maps that are not finite, are not written")
  func misfits() throws {
    let source = try series(Sources.slices([0, 1, 2]))
    var writer = DICOMArchiveWriter(equipment: Sources.equipment)
    let path = folder.path + "/none.dcm"
    let wide = MedicalImage([Float](repeating: 0, count: 60), on: ImageGrid(extents: [3, 4, 5]), range: 0...1)
    #expect(message { try writer.writeMap(wide, named: "a", displayRange: 0...1, of: source, to: path) } != nil)
    var samples = Sources.map(on: source.grid).samples
    samples[7] = .nan
    let holed = MedicalImage(samples, on: source.grid, range: 0...1)
    #expect(
      message { try writer.writeMap(holed, named: "a", displayRange: 0...1, of: source, to: path) }
        == "\(path) cannot be written: the map holds numbers that are not finite.")
    #expect(throws: ImageError.self) {
      try writer.writeOverlay(named: "a", of: source, to: path) { _ in
        Image2D(width: 5, height: 4, samples: samples.dropLast(40))
      }
    }
    #expect(!FileManager.default.fileExists(atPath: path))
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).allSatisfy { !$0.hasPrefix(".") })
    let nowhere = folder.path + "/no/folder.dcm"
    #expect(
      message {
        try writer.writeMap(Sources.map(on: source.grid), named: "a", displayRange: 0...1, of: source, to: nowhere)
      } == "\(nowhere) cannot be written: No such file or directory.")
  }

  @Test("The writer below takes nothing that GDCM could stumble over")
  func elements() throws {
    let path = folder.path + "/element.dcm"
    let valid = DICOMDataSet([.sopClass: .uid("1.2.3"), .sopInstance: .uid("1.2.4"), .patientName: .name("")])
    func reason(_ tag: DICOMTag, _ value: DICOMValue) -> String? {
      var set = valid
      set[tag] = value
      return message { try set.write(to: path) }.map { String($0.dropFirst("\(path) cannot be written: ".count)) }
    }
    #expect(reason(.patientName, .name("a")) == nil)
    #expect(
      reason(.patientName, DICOMValue("XX", Data())) == "its element (0010,0010) is of a type that is not written.")
    #expect(reason(.patientName, DICOMValue("LO", Data(count: 65536))) == "its element (0010,0010) is too long.")
    #expect(
      reason(.rows, DICOMValue("FD", Data(count: 4)))
        == "its element (0028,0010) has a length that its type does not allow.")
    #expect(reason(.lastMapped, .double(.infinity)) == "its element (0040,9213) holds numbers that are not finite.")
    #expect(reason(.floatPixels, .pixels([Float.nan])) == "its element (7FE0,0008) holds numbers that are not finite.")
    #expect(
      reason(.pixels, DICOMValue("LO", Data(count: 2))) == "its element (7FE0,0010) is of another type than pixels are."
    )
    #expect(reason(.sopClass, .uid("")) == "its class or its UID is missing.")
    var deep = DICOMDataSet([.patientName: .name("")])
    for _ in 0..<40 { deep = DICOMDataSet([.sourceImages: .items(deep)]) }
    #expect(reason(.sourceImages, .items(deep))?.hasSuffix("is nested too deeply.") == true)
    #expect(reason(.sourceImages, .items(DICOMDataSet(), DICOMDataSet())) == nil)
    #expect(try content(path).items(.sourceImages).count == 2)
  }
}
