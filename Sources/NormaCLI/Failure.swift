import ArgumentParser
import Foundation
import MedicalImaging
import Norma
import Phantoms

/// Exit codes: 0 done, 1 failed, 64 usage, 65 bad data, 66 missing input, 130 interrupted.
enum Failure {
  static let badData: Int32 = 65
  static let interrupted: Int32 = 130

  /// Whether an error is one of the house's own sentences; ArgumentParser prints its own.
  static func isOurs(_ error: any Error) -> Bool {
    !(error is ExitCode || error is ValidationError || error is CleanExit)
      && !"\(type(of: error))".contains("CommandError")
  }

  /// The exit code that an error stands for.
  static func exitCode(of error: any Error) -> Int32 {
    switch error {
    case ImageError.missing, DataSetError.missing, DataSetError.noFolder, CheckpointError.missing,
      ConfigurationError.unreadable, TrainingError.nothingToResume:
      66
    case is ConfigurationError, is PhantomError: 64
    case is ImageError, is DataSetError, is CheckpointError: badData
    case is CancellationError: interrupted
    default: 1
    }
  }
}
