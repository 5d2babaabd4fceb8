import Norma
import Testing

@Suite("Usage errors")
struct UsageTests {
  static let sweep = ["sweep", "contamination", "data", "--preset", "band-energy", "--output", "runs"]
  static let train = ["train", "data", "--output", "run"]

  @Test(
    "A wrong command line ends with 64, one sentence on standard error and nothing on standard output",
    arguments: [
      (train + ["--unknown", "1"], "Error: Unknown option '--unknown'"),
      (["training"], "Error: Unexpected argument 'training'"),
      (["score"], "Error: Missing expected argument '<images> ...'"),
      (train + ["--threads", "0"], "Error: --threads must be 1 or more."),
      (
        train + ["--precision", "half"],
        "Error: --precision is 'half'; it may be float32, bfloat16, bf16 or auto."
      ),
      (
        train + ["--resume", "--precision", "bf16"],
        "Error: --resume continues in the run's own precision; leave out --precision."
      ),
      (train + ["--preset", "squid", "--method", "simsid"], "Error: Give one of --preset, --config and --method."),
      (
        train + ["--resume", "--set", "training.epochs=9"],
        "Error: --resume continues with the run's own configuration; leave out --preset, --config, --method, --set, "
          + "--seed and --batch."
      ),
      (
        train + ["--set", "training.epoch=3"],
        "norma: configuration key 'training.epoch' does not exist; did you mean 'training.epochs'?"
      ),
      (train + ["--set", "training.epochs=0"], "norma: configuration key 'training.epochs' is 0; it may be 1 or more"),
      (
        train + ["--set", "training"],
        "norma: configuration key '--set' is 'training'; it may be KEY=VALUE, for example training.epochs=20"
      ),
      (
        train + ["--method", "simsad"],
        "norma: there is no method 'simsad'; choose one of "
          + DetectionMethod.trainable.map(\.rawValue).joined(separator: ", ")
      ),
      (train + ["--device", "gpu"], "norma: device: 'gpu' is none of cpu, cuda, cuda:N and mps"),
      (["evaluate", "data"], "Error: Give --checkpoint, or --trials with --output."),
      (["evaluate", "data", "--trials", "2"], "Error: --trials needs --output, a folder for the runs."),
      (["evaluate", "data", "--trials", "0", "--output", "runs"], "Error: --trials must be 1 or more."),
      (
        ["evaluate", "data", "--checkpoint", "model.safetensors", "--seed", "2"],
        "Error: --preset, --config, --method, --set and --seed go with --trials; a checkpoint has its own configuration."
      ),
      (
        ["evaluate", "data", "--checkpoint", "m", "--subgroup", "age:60,40"],
        "Error: --subgroup has 'age:60,40'; give rising limits, for example age:40,60."
      ),
      (
        ["evaluate", "data", "--checkpoint", "m", "--subgroup", ":40"],
        "Error: --subgroup has ':40'; give a column, for example sex, or age:40,60."
      ),
      (
        ["evaluate", "data", "--checkpoint", "m", "--at-specificity", "90"],
        "Error: --at-specificity takes shares from 0 to 1."
      ),
      (
        ["evaluate", "data", "--checkpoint", "m", "--bootstrap", "10"],
        "Error: --bootstrap must be 100 or more, or 0 for none."
      ),
      (sweep + ["--levels", "0.2,0.2"], "Error: --levels has 0.2 twice; give each share once."),
      (
        sweep + ["--levels", "0,1.5"],
        "Error: --levels has '1.5'; give shares from 0 to 1, for example 0,0.2,0.5,0.8,1."
      ),
      (
        sweep + ["--levels", "few"], "Error: --levels has 'few'; give shares from 0 to 1, for example 0,0.2,0.5,0.8,1."
      ),
      (sweep + ["--levels", "0,,1"], "Error: --levels has ''; give shares from 0 to 1, for example 0,0.2,0.5,0.8,1."),
      (sweep + ["--rounds", "0,last"], "Error: --rounds has 'last'; give whole numbers, for example 0,1."),
      (sweep + ["--trials", "0"], "Error: --trials must be 1 or more."),
      (
        sweep + ["--config", "runs/Band-Energy.yaml", "--config", "other/Band-Energy.yaml"],
        "Error: Two configurations are called 'Band-Energy'; give each once, and files names of their own."
      ),
      (
        sweep + ["--set", "data.contamination=0.1"],
        "Error: data.contamination is what the sweep changes; give --levels."
      ),
      (
        ["sweep", "contamination", "data", "--output", "runs"],
        "Error: Give --preset, --config or --method; several are compared."
      ),
      (["bench", "--metrics", "--folder", "x"], "Error: --metrics goes without --folder and --peer."),
      (
        ["bench", "--metrics", "--scaling", "--output", "x"],
        "Error: Give one of --folder, --metrics, --ceilings, --scaling and --summary."
      ),
      (
        ["bench", "--scaling"],
        "Error: --scaling needs --output, a folder for its table and plots, and goes without --peer."
      ),
      (["bench", "--output", "x"], "Error: --output goes with --scaling."),
      (["bench", "--peer-task", "train"], "Error: --peer-task goes with --peer."),
      (["bench", "--batch", "0"], "Error: --batch and --size must be 1 or more."),
      (
        ["bench", "--preset", "simsid-demo", "--size", "32", "--task", "sing"],
        "Error: --task 'sing' is none of train, score, score-one, score-default."
      ),
      (["bench", "--rounds", "0"], "Error: --rounds and --repeats must be 1 or more."),
      (
        ["import", "model.pth", "discriminator.pth", "--output", "o", "--memory", "list"],
        "Error: The value 'list' is invalid for '--memory <memory>'. Please provide one of 'matrix' and 'queue'."
      ),
      (
        ["phantom", "images", "--lesion", "crack"],
        "Error: The value 'crack' is invalid for '--lesion <lesion>'. Please provide one of 'consolidation', 'nodule', "
          + "'effusion', 'missingRib' or 'foreignObject'."
      ),
    ])
  func usage(arguments: [String], sentence: String) throws {
    let run = try Program.run(arguments)
    #expect(run.status == 64)
    #expect(run.errorLines.first == sentence)
    #expect(run.output.isEmpty)
  }

  @Test("An unknown preset is answered with the names of all presets")
  func preset() throws {
    let run = try Program.run(Self.train + ["--preset", "simsid-papr"])
    #expect(run.status == 64)
    let names = Preset.allCases.map(\.rawValue).joined(separator: ", ")
    #expect(run.errors == "norma: there is no preset 'simsid-papr'; choose one of \(names)\n")
  }

  @Test("A phantom that cannot be drawn ends with 64 and names the key")
  func phantom() throws {
    let folder = try TemporaryFolder()
    let run = try Program.run("phantom", folder.path("images"), "--size", "1")
    #expect(run.status == 64)
    #expect(run.errors.hasPrefix("norma: size is 1, but must be "))
    #expect(!exists(folder.path("images")))
  }
}
