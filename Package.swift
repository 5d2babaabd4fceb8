// swift-tools-version: 6.0
import PackageDescription

// The rooms of the house and who may know whom (docs/architecture.md). A test holds this list against that page.
let settings: [SwiftSetting] = [
  .enableUpcomingFeature("ExistentialAny"), .enableUpcomingFeature("InternalImportsByDefault"),
]

func systemLibrary(_ name: String, pkgConfig: String, providers: [SystemPackageProvider]? = nil) -> Target {
  .systemLibrary(name: name, path: "Sources/System/\(name)", pkgConfig: pkgConfig, providers: providers)
}

func room(
  _ name: String, knows dependencies: [Target.Dependency], resources: [Resource]? = nil, notes: [String] = []
) -> Target {
  .target(name: name, dependencies: dependencies, exclude: notes, resources: resources, swiftSettings: settings)
}

func tests(of room: String, knows others: [Target.Dependency] = [], golden: Bool = false) -> Target {
  .testTarget(
    name: "\(room)Tests", dependencies: [.init(stringLiteral: room)] + others, exclude: golden ? ["Golden"] : [],
    swiftSettings: settings)
}

let presets = [
  "autoencoder-laptop-64", "autoencoder-ssim-laptop-64", "band-energy", "cutpaste-laptop-64",
  "denoising-autoencoder-laptop-64", "f-anogan-laptop-64", "ganomaly-laptop-64", "memae-laptop-64",
  "memmc-mae-laptop-128", "memmc-mae-laptop-64", "memmc-mae-paper", "padim-laptop-64", "patchcore-laptop-64",
  "simsid-demo", "simsid-laptop-128", "simsid-laptop-64", "simsid-official-chexpert", "simsid-official-covidx",
  "simsid-official-zhanglab", "simsid-paper", "squid", "token-masking-contaminated-64", "token-masking-laptop-64",
  "token-masking-paper", "token-masking-volume-48", "vae-laptop-64",
]

let templates = [
  "page.mustache", "table.mustache", "confusion.mustache", "legend.mustache", "cases.mustache", "record.mustache",
  "style.css", "script.js",
]

let package = Package(
  name: "Norma",
  platforms: [.macOS(.v14)],
  products: [
    .executable(name: "norma", targets: ["NormaCLI"]),
    .library(name: "Norma", targets: ["Norma"]),
    .library(name: "Torch", targets: ["Torch"]),
    .library(name: "Evaluation", targets: ["Evaluation"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
    .package(url: "https://github.com/hummingbird-project/swift-mustache", from: "2.1.1"),
  ],
  targets: [
    // `Scripts/setup` writes norma-libtorch.pc for the libtorch it unpacked or was given.
    systemLibrary("CLibTorch", pkgConfig: "norma-libtorch"),
    systemLibrary("CPNG", pkgConfig: "libpng", providers: [.apt(["libpng-dev"]), .brew(["libpng"])]),
    systemLibrary("CJPEG", pkgConfig: "libjpeg", providers: [.apt(["libjpeg-dev"]), .brew(["jpeg-turbo"])]),
    systemLibrary("CTIFF", pkgConfig: "libtiff-4", providers: [.apt(["libtiff-dev"]), .brew(["libtiff"])]),
    systemLibrary("CZLIB", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"]), .brew(["zlib"])]),
    // Come without pkg-config files; `Scripts/setup` writes norma-nifti.pc and norma-gdcm.pc.
    systemLibrary("CNIFTI", pkgConfig: "norma-nifti", providers: [.apt(["libnifti2-dev"]), .brew(["nifti_clib"])]),
    systemLibrary("CGDCM", pkgConfig: "norma-gdcm", providers: [.apt(["libgdcm-dev"]), .brew(["gdcm"])]),

    .target(name: "CTorch", dependencies: ["CLibTorch"]),
    .target(name: "CMedicalImaging", dependencies: ["CPNG", "CJPEG", "CTIFF", "CNIFTI", "CZLIB", "CGDCM"]),

    room("Torch", knows: ["CTorch"]),
    room("MedicalImaging", knows: ["CMedicalImaging"]),
    room("Evaluation", knows: []),
    room("Phantoms", knows: ["MedicalImaging"]),
    room(
      "Reporting",
      knows: ["Evaluation", "MedicalImaging", .product(name: "Mustache", package: "swift-mustache")],
      resources: templates.map { .embedInCode("Templates/\($0)") }),
    room(
      "Norma", knows: ["Torch", "MedicalImaging", "Evaluation", .product(name: "Yams", package: "Yams")],
      resources: presets.map { .embedInCode("Presets/\($0).yaml") },
      notes: [
        "Detectors/BandEnergy/README.md", "Detectors/Baselines/Autoencoder/README.md",
        "Detectors/Baselines/CutPaste/README.md", "Detectors/Baselines/DenoisingAutoencoder/README.md",
        "Detectors/Baselines/FAnoGAN/README.md", "Detectors/Baselines/GANomaly/README.md",
        "Detectors/Baselines/MemAE/README.md", "Detectors/Baselines/PaDiM/README.md",
        "Detectors/Baselines/PatchCore/README.md", "Detectors/Baselines/VAE/README.md",
        "Detectors/Ensemble/README.md", "Detectors/MemMCMAE/README.md", "Detectors/SimSID/README.md",
        "Detectors/TokenMasking/README.md",
      ]),
    .executableTarget(
      name: "NormaCLI",
      dependencies: [
        "Norma", "Reporting", "Phantoms", "MedicalImaging", "Evaluation", "Torch",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ], swiftSettings: settings),

    // `make fuzz`: damaged files for the readers.
    .target(name: "CAllocations", path: "Tests/CAllocations"),
    .executableTarget(
      name: "FuzzReaders",
      dependencies: [
        "CAllocations", "MedicalImaging", .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ], path: "Tests/FuzzReaders", swiftSettings: settings),

    tests(of: "FuzzReaders"),
    tests(of: "Torch", golden: true),
    tests(of: "MedicalImaging", golden: true),
    tests(of: "Evaluation", golden: true),
    tests(of: "Phantoms", knows: ["MedicalImaging"]),
    tests(of: "Reporting", knows: ["Evaluation", "MedicalImaging"]),
    tests(of: "Norma", knows: ["Torch", "MedicalImaging", "Evaluation", "Phantoms"], golden: true),
    tests(
      of: "NormaCLI",
      knows: [
        "Norma", "MedicalImaging", "Evaluation", "Torch",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ]),
  ],
  cxxLanguageStandard: .cxx20
)
