import Foundation

/// What the standard uptake values of a PET image follow from.
public struct PETUptake: Equatable, Sendable {
  /// What values count: `BQML` becquerels per millilitre, `GML` grams per millilitre, `CNTS` counts.
  public var units: String?
  /// What the decay correction refers to: `START` of the scan, `ADMIN` the injection, `NONE`.
  public var decayCorrection: String?
  /// Kilograms.
  public var bodyWeight: Double?
  /// Becquerels at the time of the injection.
  public var totalDose: Double?
  /// Seconds.
  public var halfLife: Double?
  /// When the radiopharmaceutical was injected, seconds on the scanner's clock.
  public var injection: Double?
  /// When the scan began that values are corrected to, seconds on the same clock.
  public var scanStart: Double?

  /// Why there are no standard uptake values: a part of a sentence.
  public struct Missing: Error, Equatable, Sendable, CustomStringConvertible {
    /// The part of a sentence.
    public let description: String
  }

  /// Creates the quantities; what is not known stays nil.
  public init(
    units: String? = nil, decayCorrection: String? = nil, bodyWeight: Double? = nil, totalDose: Double? = nil,
    halfLife: Double? = nil, injection: Double? = nil, scanStart: Double? = nil
  ) {
    (self.units, self.decayCorrection, self.bodyWeight) = (units, decayCorrection, bodyWeight)
    (self.totalDose, self.halfLife, self.injection, self.scanStart) = (totalDose, halfLife, injection, scanStart)
  }

  /// What a value is multiplied with to become a standard uptake value by body weight, g/ml:
  /// 1000 · weight / (dose · 2^(−(start − injection) / half-life)) for `BQML` corrected to the start of the scan, without
  /// the power for `ADMIN`, and 1 for `GML`.
  /// - Throws: `Missing`, naming the first thing that is missing.
  public func factor() throws(Missing) -> Double {
    guard let units else { throw Missing(description: "it does not tell its units") }
    if units == "GML" { return 1 }
    guard units == "BQML" else { throw Missing(description: "its units are \(units), not BQML or GML") }
    let weight = try Self.positive(bodyWeight, "the patient's weight")
    let dose = try Self.positive(totalDose, "the injected dose")
    switch decayCorrection {
    case "ADMIN": return try Self.usable(1000 * weight / dose)
    case "START": break
    case nil: throw Missing(description: "it does not tell its decay correction")
    case let other?: throw Missing(description: "its decay correction is \(other), not START or ADMIN")
    }
    let halfLife = try Self.positive(halfLife, "the half-life")
    guard let injection else { throw Missing(description: "the time of the injection is missing") }
    guard let scanStart else { throw Missing(description: "the time of the scan is missing") }
    guard scanStart >= injection else { throw Missing(description: "the scan began before the injection") }
    return try Self.usable(1000 * weight / (dose * exp2(-(scanStart - injection) / halfLife)))
  }

  /// A factor that values can be multiplied with.
  private static func usable(_ factor: Double) throws(Missing) -> Double {
    guard (1e-20..<1e20).contains(factor) else {
      throw Missing(description: "weight, dose and times together give a factor of \(factor)")
    }
    return factor
  }

  private static func positive(_ value: Double?, _ name: String) throws(Missing) -> Double {
    guard let value, value > 0 else { throw Missing(description: "\(name) is missing") }
    return value
  }
}

extension PETUptake {
  /// What an object tells. The scan's start is the series' time, or the first acquisition's where the series was made later.
  init(_ item: DICOMItem) {
    self.init(units: item.text(.units), decayCorrection: item.text(.decayCorrection))
    bodyWeight = item.number(.patientWeight)
    let drug = item.items(.radiopharmaceuticals).first
    totalDose = drug?.number(.totalDose)
    halfLife = drug?.number(.halfLife)
    let series = Self.seconds(date: item.text(.seriesDate), time: item.text(.seriesTime))
    let acquisition =
      Self.seconds(date: item.text(.acquisitionDate), time: item.text(.acquisitionTime))
      ?? Self.seconds(item.text(.acquisitionDateTime))
    scanStart = [series, acquisition].compactMap { $0 }.min()
    if let told = Self.seconds(drug?.text(.radiopharmaceuticalStartDateTime)) {
      injection = told
    } else if let time = drug?.text(.radiopharmaceuticalStartTime), let scanStart {
      // Without a date of its own: on the day of the scan, or the evening before.
      let day = (scanStart / 86400).rounded(.down) * 86400
      injection = Self.seconds(time: time).map { day + $0 > scanStart ? day + $0 - 86400 : day + $0 }
    }
  }

  /// Seconds of a date and a time; nil where one is missing or none.
  static func seconds(date: String?, time: String?) -> Double? {
    guard let date, let time else { return nil }
    return seconds(date.filter { $0 != "." } + time)
  }

  /// Seconds of a text such as `20250131235959.5`, its offset from universal time left out.
  static func seconds(_ dateTime: String?) -> Double? {
    guard let dateTime, let parts = dateTime.prefixMatch(of: /([0-9]{4})([0-9]{2})([0-9]{2})([0-9.:]+)/),
      let year = Int(parts.1), let month = Int(parts.2), let day = Int(parts.3),
      let time = seconds(time: String(parts.4))
    else { return nil }
    var components = DateComponents()
    (components.year, components.month, components.day) = (year, month, day)
    var calendar = Calendar(identifier: .gregorian)
    calendar.timeZone = TimeZone(secondsFromGMT: 0) ?? calendar.timeZone
    return calendar.date(from: components).map { $0.timeIntervalSince1970 + time }
  }

  /// Seconds of a time such as `235959.5`.
  static func seconds(time: String) -> Double? {
    guard let parts = time.filter({ $0 != ":" }).wholeMatch(of: /([0-9]{2})([0-9]{2})?([0-9]{2}(?:\.[0-9]*)?)?/),
      let hours = Double(parts.1)
    else { return nil }
    return hours * 3600 + (parts.2.flatMap { Double($0) } ?? 0) * 60 + (parts.3.flatMap { Double($0) } ?? 0)
  }
}
