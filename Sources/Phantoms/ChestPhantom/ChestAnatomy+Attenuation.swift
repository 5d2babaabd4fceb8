import MedicalImaging

extension ChestAnatomy {
  /// The patient as the beam sees it: the line integral of attenuation (dimensionless, at least 0) behind each pixel, row by
  /// row. `seed` names the patient's vessels and tissue texture.
  func attenuation(in frame: PatientFrame, seed: UInt64) -> [Float] {
    var textures = RandomStream.texture.generator(seed: seed)
    let fine = BandLimitedNoise(cellSize: 0.55, using: &textures)
    let medium = BandLimitedNoise(cellSize: 1.3, using: &textures)
    let coarse = BandLimitedNoise(cellSize: 5, using: &textures)
    let lungs = frame.map { lungDepth(at: $0) }
    var attenuation = [Float](repeating: 0, count: lungs.count)
    for row in 0..<frame.size {
      for column in 0..<frame.size {
        let point = frame.patientPoint(column: column, row: row)
        let body = bodyDepth(at: point)
        guard body > 0 else { continue }
        let index = row * frame.size + column
        let lung = min(lungs[index], 0.85 * body)
        let parenchyma = 0.022 * fine.value(at: point) + 0.03 * medium.value(at: point)
        let tissue = body - lung - gastricAir(at: point)
        let water = tissue * (1 + 0.025 * coarse.value(at: point)) + lung * (Material.lungDensity + parenchyma)
        attenuation[index] = Material.softTissue * water + Material.boneOverSoftTissue * spineDepth(at: point)
      }
    }

    var branches = RandomStream.vessels.generator(seed: seed)
    var vesselPaths = [Float](repeating: 0, count: lungs.count)
    // Arteries and veins run side by side, one behind the other: twice the depth of one tree.
    Tube.add(vessels(using: &branches), to: &vesselPaths, frame: frame, scale: 2 * Material.fluidOverLung)
    // Vessels show only as deep as there is lung around them.
    let surrounding = 1 / (0.4 * largestLungDepth)
    for index in lungs.indices {
      attenuation[index] += vesselPaths[index] * min(lungs[index] * surrounding, 1)
    }
    for index in 0..<Self.ribPairs {
      for side in Side.allCases {
        Tube.add([rib(index, side)], to: &attenuation, frame: frame, scale: Material.boneOverSoftTissue)
      }
    }
    for bone in shoulderGirdle() {
      Tube.add([bone], to: &attenuation, frame: frame, scale: Material.boneOverSoftTissue)
    }
    Tube.add(airways(), to: &attenuation, frame: frame, scale: -Material.softTissue)
    for index in attenuation.indices { attenuation[index] = max(attenuation[index], 0) }
    return attenuation
  }
}
