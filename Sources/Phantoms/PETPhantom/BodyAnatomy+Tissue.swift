import MedicalImaging

extension BodyAnatomy {
  /// The healthy patient, without blur and noise.
  func tissue(on grid: VoxelGrid, seed: UInt64) -> TissueMap {
    var map = TissueMap(grid: grid)
    fillBody(in: &map)
    fillChest(in: &map)
    fillAbdomen(in: &map, seed: seed)
    map.fill(skeleton, uptake: uptake)
    fillHead(in: &map)
    // Last, so that nothing takes part of them.
    map.fill(organs.heart, with: Tissue(uptake: uptake.blood, density: Tissue.Density.blood))
    map.fill(organs.ventricle, with: Tissue(uptake: uptake.heartMuscle, density: 50), wall: 13)
    map.fill(organs.bladder, with: Tissue(uptake: uptake.bladder, density: Tissue.Density.fluid))
    for kidney in organs.kidneys {
      map.fill(kidney, with: Tissue(uptake: uptake.kidneys, density: Tissue.Density.softTissue))
    }
    return map
  }

  /// Fat under the skin, muscle under the fat.
  private func fillBody(in map: inout TissueMap) {
    for outline in outlines {
      map.fill(outline.solid, with: Tissue(uptake: uptake.fat, density: Tissue.Density.fat))
    }
    let muscle = Tissue(uptake: uptake.muscle, density: Tissue.Density.softTissue)
    for outline in outlines { map.fill(outline.solid, with: muscle, inset: outline.fat) }
  }

  private func fillChest(in map: inout TissueMap) {
    let muscle = Tissue(uptake: uptake.muscle, density: Tissue.Density.softTissue)
    let blood = Tissue(uptake: uptake.blood, density: Tissue.Density.blood)
    for lung in organs.lungs { map.fill(lung, with: Tissue(uptake: uptake.lung, density: Tissue.Density.lung)) }
    map.fill(organs.mediastinum, with: Tissue(uptake: 0.7 * uptake.blood, density: 10))
    for dome in organs.domes { map.fill(dome, with: muscle) }
    map.fill(organs.aorta, with: blood)
  }

  private func fillAbdomen(in map: inout TissueMap, seed: UInt64) {
    let wall = Tissue(uptake: uptake.stomach, density: Tissue.Density.softTissue)
    map.fill(organs.stomach, with: Tissue(uptake: 0.6 * uptake.stomach, density: 20))
    map.fill(organs.stomach, with: wall, wall: 9)
    let mesentery = Tissue(uptake: (uptake.fat + uptake.muscle) / 2, density: -50)
    map.fill(organs.bowel, with: mesentery)
    var generator = RandomStream.texture.generator(seed: seed)
    for loop in bowelLoops(using: &generator) { map.fill(loop.solid, with: loop.tissue) }
    for segment in organs.colon { map.fill(segment, with: Tissue(uptake: uptake.colon, density: 0)) }
    let liver = Tissue(uptake: uptake.liver, density: Tissue.Density.liver)
    for lobe in organs.liver { map.fill(lobe, with: liver) }
    map.fill(organs.spleen, with: Tissue(uptake: uptake.spleen, density: 50))
  }

  private func fillHead(in map: inout TissueMap) {
    let skull = Ellipsoid(centre: organs.brain.centre, radii: organs.brain.radii + 7)
    map.fill(skull, with: Tissue(uptake: uptake.muscle, density: Tissue.Density.skull * skeleton.mineral))
    map.fill(organs.brain, with: Tissue(uptake: uptake.brain, density: Tissue.Density.brain))
    map.fill(organs.trachea, with: Tissue(uptake: 0.1, density: Tissue.Density.air))
  }
}
