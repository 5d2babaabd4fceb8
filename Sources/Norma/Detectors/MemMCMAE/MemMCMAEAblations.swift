extension MemMCMAEConfiguration {
  /// What the method adds to a masked autoencoder, taken away, and how masks, targets and scores are chosen.
  public static var ablations: [Ablation] {
    [
      Ablation(
        "no-memory", "The encoder's attention reads the tokens alone.", source: "memory-augmented attention off",
        settings: ["detector.memorySlots=0"]),
      Ablation(
        "last-level", "The decoder's cross-attention reads the last encoder level, without a gate.",
        source: "multi-level cross-attention off", settings: ["detector.crossAttention=lastLevel"]),
      Ablation(
        "no-cross-attention", "The decoder has no cross-attention.", source: "multi-level cross-attention off",
        settings: ["detector.crossAttention=none"]),
      Ablation(
        "plain-mae", "Neither memory nor cross-attention: the masked autoencoder of He et al.",
        source: "both off", settings: ["detector.memorySlots=0", "detector.crossAttention=none"]),
      Ablation(
        "slots-10", "10 memory slots.", source: "number of memory slots", settings: ["detector.memorySlots=10"]),
      Ablation(
        "slots-160", "160 memory slots.", source: "number of memory slots", settings: ["detector.memorySlots=160"]),
      Ablation(
        "half-masked", "Half of the patches are hidden.", source: "mask ratio", settings: ["detector.maskRatio=0.5"]),
      Ablation(
        "mostly-masked", "Seven of eight patches are hidden; eight masks, so that each patch is seen once.",
        source: "mask ratio", settings: ["detector.maskRatio=0.875", "detector.masks=8"]),
      Ablation(
        "standardised-patches", "Every patch of the target is standardised by itself.",
        source: "per-patch normalisation", settings: ["detector.normalisesPatches=true"]),
      Ablation(
        "one-mask", "Images are scored with one random mask.", source: "number of masks",
        settings: ["detector.masks=1", "detector.maskSelection=random"]),
      Ablation(
        "many-masks", "Images are scored with 32 masks.", source: "number of masks", settings: ["detector.masks=32"]),
      Ablation(
        "similarity-score", "Images are ranked by 1 − MS-SSIM, the paper's score.", source: "score",
        settings: ["detector.scoring=multiScaleSimilarity"]),
      Ablation(
        "squared-error-score", "Images are ranked by the squared error of hidden pixels.", source: "MSE score",
        settings: ["detector.scoring=squaredError"]),
      Ablation(
        "full-reconstruction", "Reconstructions stand in for visible patches too.",
        settings: ["detector.reconstruction=full"]),
    ]
  }
}
