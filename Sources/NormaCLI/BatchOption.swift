public import ArgumentParser
public import Norma

extension BatchSize: ExpressibleByArgument {
  /// Reads `auto` or a number.
  public init?(argument: String) { self.init(argument) }
}
