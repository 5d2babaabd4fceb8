extension TokenMaskingConfiguration {
  /// What the method's parts are worth: order and attention of the transformer, losses of the autoencoder, how tokens are
  /// flagged, healed and compared, and the rounds of masking.
  public static var ablations: [Ablation] {
    [
      Ablation("no-rounds", "Training once, on everything.", source: "round 0", settings: ["detector.rounds.count=0"]),
      Ablation(
        "two-rounds", "Two rounds of masking and retraining.", source: "training iterations",
        settings: ["detector.rounds.count=2"]),
      Ablation(
        "union-of-masks", "Masked tokens stay masked in later rounds.",
        settings: ["detector.rounds.count=2", "detector.rounds.accumulation=union"]),
      Ablation(
        "soft-weights", "Kept tokens count by how unsuspicious they are.",
        settings: ["detector.rounds.count=2", "detector.rounds.weighting=biweight"]),
      Ablation(
        "cross-fitted", "Each half of the training images is judged by the model of the other.",
        settings: ["detector.rounds.count=2", "detector.rounds.crossFit=true"]),
      Ablation(
        "masked-tokens-read", "Masked tokens leave the loss, and the transformer still reads them.",
        settings: ["detector.transformer.masksInput=false"]),
      Ablation(
        "gilbert-order", "Tokens are read along a Hilbert curve.", source: "order",
        settings: ["detector.transformer.order=gilbert"]),
      Ablation(
        "random-order", "Tokens are read in one random order.", source: "order",
        settings: ["detector.transformer.order=random"]),
      Ablation(
        "no-positions", "Tokens carry no place in the grid.",
        settings: ["detector.transformer.spatialPositions=false"]),
      Ablation(
        "linear-attention", "Attention by random features, linear in the number of tokens.", source: "FAVOR+",
        settings: ["detector.transformer.attention=linear"]),
      Ablation(
        "no-spectral-loss", "The autoencoder is trained without the spectral loss.", source: "losses",
        settings: ["detector.autoencoder.spectralWeight=0"]),
      Ablation(
        "no-discriminator", "The autoencoder is trained without the adversarial loss.", source: "losses",
        settings: ["detector.autoencoder.adversarialWeight=0"]),
      Ablation(
        "one-reconstruction", "One healed sequence, decoded once, is compared with the image.",
        source: "density of many reconstructions",
        settings: ["detector.detection.samples=1", "detector.detection.decodings=1"]),
      Ablation(
        "one-decoding", "Healed sequences are decoded once each, without dropout.", source: "dropout decodings",
        settings: [
          "detector.detection.decodings=1", "detector.rounds.decodings=1", "detector.autoencoder.decoderDropout=0",
        ]),
      Ablation(
        "residual-map", "Maps show the distance to the mean healed image.", source: "anomaly map",
        settings: ["detector.detection.map=residual"]),
      Ablation(
        "z-score-map", "Maps show that distance in deviations over the samples.", source: "anomaly map",
        settings: ["detector.detection.map=zScore"]),
      Ablation(
        "likeliest-tokens", "Flagged tokens become the likeliest ones instead of drawn ones.",
        settings: ["detector.detection.temperature=0"]),
      Ablation(
        "flags-by-quantile", "Tokens are flagged below a quantile of the training images' likelihoods at their place.",
        settings: ["detector.detection.flagging=quantile"]),
      Ablation(
        "sheather-jones", "The density's bandwidth is the improved Sheather–Jones one.", source: "bandwidth",
        settings: ["detector.detection.bandwidth=sheatherJones"]),
      Ablation(
        "surprise-score", "Images are ranked by the mean −log p of their tokens.", source: "likelihood",
        settings: ["detector.scoring=tokenSurprise"]),
    ]
  }
}
