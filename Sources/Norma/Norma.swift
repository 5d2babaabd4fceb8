/// Facts about Norma itself.
public enum Norma {
  /// The version, written into checkpoints and reports.
  public static let version = "0.1.0"

  /// What Norma is not; shown with every help text. Pages have their own sentence (`Reporting`).
  public static let researchNote =
    "Research software, not a medical device: not for diagnosis, treatment or any decision about a patient."
}
