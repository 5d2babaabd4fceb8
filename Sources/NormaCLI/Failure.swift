import ArgumentParser
import Evaluation
import Foundation
import MedicalImaging
import Norma
import Phantoms
import Torch

/// Exit codes: 0 done, 1 failed, 64 usage, 65 bad data, 66 missing input, 130 interrupted.
enum Failure {
  static let failed: Int32 = 1
  static let usage: Int32 = 64
  static let badData: Int32 = 65
  static let missingInput: Int32 = 66
  static let interrupted: Int32 = 130

  /// Whether an error is one of the house's own sentences. ArgumentParser knows a code for what it throws itself, help
  /// and version included, and calls everything else a failure.
  static func isOurs(_ error: any Error) -> Bool {
    !(error is ExitCode) && NormaCommand.exitCode(for: error) == .failure
  }

  /// The exit code that an error stands for.
  static func exitCode(of error: any Error) -> Int32 {
    switch error {
    case ImageError.missing, DataSetError.missing, DataSetError.noFolder, DataSetError.notReadable(.missing),
      CheckpointError.missing, ConfigurationError.unreadable, TrainingError.nothingToResume,
      BackboneWeightsError.noFile:
      missingInput
    case ImageError.notWritable, ImageError.notEncodable, ImageError.outOfMemory: failed
    case PreparedDataError.otherSettings, EnsembleError.twice: usage
    case BatchSizeError.unused, BatchSizeError.ensemble: usage
    case is ConfigurationError, PhantomError.invalidValue, TrainingError.otherConfiguration: usage
    case is SubgroupError: usage
    case let error as TorchError where error.operation == "device": usage
    case is ImageError, is DataSetError, is PreparedDataError, is CheckpointError, is SimSIDImportError,
      is StateMismatch, is BackboneWeightsError, is EnsembleError,
      is EvaluationImagesError, EvaluationError.oneClassOnly, TrainingError.tooFewImages,
      TrainingError.otherData:
      badData
    case let error as SerialisationError where FileManager.default.fileExists(atPath: error.path): badData
    case is CancellationError: interrupted
    default: failed
    }
  }
}
