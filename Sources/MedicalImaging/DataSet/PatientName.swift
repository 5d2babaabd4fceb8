/// Tells patients from the file names of data sets that write them there.
public enum PatientName {
  /// The patient whom a file shows; nil where the name does not tell.
  ///
  /// The ZhangLab chest radiographs (Kermany 2018) come under two naming schemes:
  ///
  /// | name | patient |
  /// |---|---|
  /// | `person1000_bacteria_2931.jpeg` | `person1000` |
  /// | `IM-0115-0001.jpeg`, `IM-0011-0001-0001.jpeg`, `NORMAL2-IM-0374-0001.jpeg` | `IM-0115`, `IM-0011`, `IM-0374` |
  /// | `BACTERIA-1008087-0001.jpeg`, `VIRUS-…`, `NORMAL-…` | `1008087` |
  ///
  /// `IM` and `NORMAL2-IM` may number their patients independently; taking equal numbers for one patient can only keep
  /// more images together than necessary.
  public static func patient(inFileName name: String) -> String? {
    if let match = name.prefixMatch(of: /(person[0-9]+)_(?:bacteria|virus)_[0-9]/) { return String(match.1) }
    if let match = name.prefixMatch(of: /(?:NORMAL2-)?(IM-[0-9]+)-[0-9]/) { return String(match.1) }
    if let match = name.prefixMatch(of: /(?:BACTERIA|VIRUS|NORMAL)-([0-9]+)-[0-9]/) { return String(match.1) }
    return nil
  }
}
