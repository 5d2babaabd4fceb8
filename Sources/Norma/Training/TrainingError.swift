/// Why training stopped, in one sentence.
public enum TrainingError: Error, Equatable, CustomStringConvertible, Sendable {
  /// A loss is no number any more.
  case diverged(loss: String, epoch: Int)
  /// Not enough images for one batch.
  case tooFewImages(count: Int, batchSize: Int)
  /// A run to resume does not fit the images found.
  case otherData(path: String)
  /// A run was made with other settings than those that are asked for.
  case otherConfiguration(path: String)
  /// A run to resume holds no such state.
  case nothingToResume(path: String)
  /// The output folder already holds a run.
  case folderInUse(path: String)
  /// Another process works on the run.
  case runElsewhere(path: String, process: Int32?)
  /// The output folder cannot be made.
  case cannotWrite(path: String, reason: String)

  /// The sentence.
  public var description: String {
    switch self {
    case .diverged(let loss, let epoch):
      "the loss '\(loss)' was no finite number in epoch \(epoch); lower detector.learningRate and start again, or resume from the last checkpoint"
    case .tooFewImages(let count, let batchSize):
      "\(count) training images are too few for batches of at least 2 (training.batchSize is \(batchSize)); add images"
    case .otherData(let path):
      "the training images are not those that \(path) was trained on; give the same data folder, or start a new run"
    case .otherConfiguration(let path):
      "the run in \(path) was made with other settings; give those that it was made with, or choose another --output"
    case .nothingToResume(let path): "\(path) holds no run to resume; give the folder of a run that was interrupted"
    case .folderInUse(let path): "\(path) already holds a run; resume it with --resume, or choose another --output"
    case .runElsewhere(let path, let process):
      "\(path) is being worked on by\(process.map { " process \($0)" } ?? " another process"); wait until it is done, or choose another --output"
    case .cannotWrite(let path, let reason): "\(path) cannot be written: \(reason); choose another --output"
    }
  }
}
