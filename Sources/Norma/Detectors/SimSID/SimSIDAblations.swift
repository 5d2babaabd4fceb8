extension SimSIDConfiguration {
  /// The rows of Table II in its order, other readings of them, and the values of Figures 8 and 9.
  public static var ablations: [Ablation] {
    [
      Ablation(
        "no-spatial-memory", "One memory block is read at all locations instead of one block for each.",
        source: "Table II, w/o space-aware memory", settings: ["detector.spaceAware=false"]),
      Ablation(
        "no-skips", "The decoder receives the bottleneck alone.", source: "Table II, w/o skip connection",
        settings: ["detector.skips=false"]),
      Ablation(
        "no-inpainting", "The decoder receives the encoder's bottleneck as it is.",
        source: "Table II, w/o in-painting block", settings: ["detector.inpainting=off"]),
      Ablation(
        "memory-without-neighbours",
        "The in-painting block reads its memory, and patches do not look at their neighbours.",
        source: "Table II, w/o in-painting block, the other reading", settings: ["detector.inpainting=memoryOnly"]),
      Ablation(
        "no-decoder-memory", "There is no memory in the decoder.", source: "Table II, w/o hierarchical memory",
        settings: ["detector.decoderMemories=[none, none]"]),
      Ablation(
        "no-distillation", "There is no teacher, and its losses vanish.",
        source: "Table II, w/o knowledge distillation",
        settings: ["detector.distillation=false"]),
      Ablation(
        "no-stop-gradient",
        "The teacher's losses reach the encoder through the bottleneck, as with the official switch off.",
        source: "Table II, w/o stop gradient", settings: ["detector.teacherStopGradient=skips"]),
      Ablation(
        "no-stop-gradient-at-all", "The teacher's losses reach the encoder through bottleneck and skips.",
        source: "Table II, w/o stop gradient, the other reading", settings: ["detector.teacherStopGradient=none"]),
      Ablation(
        "no-shrinkage", "Memory is read with plain softmax weights.", source: "Table II, w/o Gumbel shrinkage",
        settings: ["detector.shrinkage=none"]),
      Ablation(
        "hard-shrinkage", "Small products are cut to zero, as in MemAE, instead of keeping the largest weights.",
        source: "Table II, w/o Gumbel shrinkage, the reading of footnote 3", settings: ["detector.shrinkage=hard"]),
      Ablation(
        "memory-queue", "The in-painting memory holds recent training features, as in SQUID.",
        source: "Table II, w/ memory queue instead", settings: ["detector.inpaintMemory=queue"]),
      Ablation(
        "convolution", "Patches look at their neighbours by a convolution with an empty centre.",
        source: "Table II, convolution layers instead of transformer", settings: ["detector.inpaintMixer=convolution"]),
      Ablation(
        "pixel-inpainting",
        "A quarter of the 8×8 cells of training images is blank, and nothing is in-painted in features.",
        source: "Table II, pixel-level in-painting",
        settings: ["detector.inpainting=off", "detector.pixelMaskRatio=0.25"]),
      Ablation(
        "grid-1", "The image is one patch.", source: "Figure 8, patches", settings: ["detector.patchGrid=1"]),
      Ablation("grid-2", "2×2 patches.", source: "Figure 8, patches", settings: ["detector.patchGrid=2"]),
      Ablation("grid-4", "4×4 patches.", source: "Figure 8, patches", settings: ["detector.patchGrid=4"]),
      Ablation("grid-8", "8×8 patches.", source: "Figure 8, patches", settings: ["detector.patchGrid=8"]),
      Ablation(
        "one-item", "One memory item is read, the most similar one.", source: "Figure 8, top-1",
        settings: ["detector.activeItems=2", "detector.strictThreshold=true"]),
      Ablation(
        "slots-50", "50 items per memory block.", source: "Figure 8, items", settings: ["detector.slots=50"]),
      Ablation(
        "slots-500", "500 items per memory block.", source: "Figure 8, items", settings: ["detector.slots=500"]),
      Ablation(
        "half-abnormal", "Half of the training images are abnormal; needs as many in train.", source: "Figure 9, 50 %",
        settings: ["data.contamination=0.5"]),
      Ablation(
        "masked-shortcuts", "In training 5 % of the features bypass the memories, as in SQUID.",
        settings: ["detector.inpaintRetention=0.95", "detector.decoderRetention=0.95"]),
      Ablation(
        "running-statistics", "Images are judged with the discriminator's running statistics.",
        settings: ["detector.discriminatorStatistics=running"]),
    ]
  }
}
