import ArgumentParser
struct DemoCommand: AsyncParsableCommand {}
struct ScoreCommand: AsyncParsableCommand {}
struct InfoCommand: AsyncParsableCommand {}
struct ImportCommand: AsyncParsableCommand {}
struct PhantomCommand: AsyncParsableCommand {}
struct BenchCommand: AsyncParsableCommand {}
