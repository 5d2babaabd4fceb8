import Foundation
import MedicalImaging
import Torch

/// An image on its way to its score.
struct StreamedImage: Sendable {
  /// Its place among the images that were asked for.
  let index: Int
  /// The image's files, label and name.
  let item: DataItem
  /// What the network sees; of an ensemble what each member sees.
  let prepared: [PreparedImage]
  /// The views that are wanted; nil: all.
  var views: [Int]?
  /// The image as it was read, where keeping it costs little.
  var source: MedicalImage?
}

/// Images for scoring, one after the other in their order: each is read and prepared before it is asked for, by as many threads
/// as there are to compute, and only so many ahead as make the next batch.
final class ImageStream {
  /// What the images are prepared for.
  let specification: InputSpecification
  /// The images that were asked for.
  let count: Int
  /// Views that were asked for, as far as that is known.
  let viewCount: Int?
  private let make: @Sendable (Int) -> Result<StreamedImage, any Error>
  let work: OrderedWork<Result<StreamedImage, any Error>>
  private let ahead: Int

  /// - Parameters:
  ///   - workers: threads that read; 0 where there is nothing to read.
  ///   - ahead: images that may wait to be asked for.
  ///   - make: reads and prepares the image at a place.
  private init(
    _ specification: InputSpecification, count: Int, viewCount: Int?, workers: Int, ahead: Int,
    make: @escaping @Sendable (Int) -> Result<StreamedImage, any Error>
  ) {
    (self.specification, self.count, self.viewCount, self.make) = (specification, count, viewCount, make)
    (work, self.ahead) = (OrderedWork(workers: workers), max(1, ahead))
  }

  /// The next image, or why it cannot be used; nil after the last.
  func next() -> Result<StreamedImage, any Error>? { work.next(of: count, ahead: ahead, make) }
}

extension ImageStream {
  /// Bytes of images, beside what networks see of them, that may wait.
  private static let sourceLimit = 256 << 20

  /// Files, read as they are needed.
  /// - Parameters:
  ///   - batchSize: images that are taken at a time.
  ///   - keepsSources: whether somebody will draw the images.
  convenience init(
    files items: [DataItem], for specification: InputSpecification, batchSize: Int, keepsSources: Bool
  ) {
    let workers = items.count > 1 ? Runtime.threads : 0
    let ahead = specification.isVolume ? workers : batchSize + workers
    let largest = keepsSources && !specification.isVolume ? Self.sourceLimit / max(1, 4 * ahead) : 0
    self.init(specification, count: items.count, viewCount: nil, workers: workers, ahead: ahead) { index in
      do {
        let read = try specification.seen { try $0.read(items[index]) }
        return .success(
          StreamedImage(
            index: index, item: items[index], prepared: read.prepared,
            source: read.source.flatMap { $0.grid.count <= largest ? $0 : nil }))
      } catch let error as ImageError {
        return .failure(error)
      } catch {
        return .failure(ImageError.rejected(path: items[index].path, reason: "\(error)"))
      }
    }
  }

  /// Images that were prepared before; those that memory does not hold are read as they are needed.
  /// - Parameter views: which of their views, ascending; nil: all.
  convenience init(_ images: PreparedImages, batchSize: Int, views: [Int]? = nil) {
    let wanted = views.map { images.wanted($0) }
    let places = wanted.map { $0.keys.sorted() } ?? Array(images.items.indices)
    let isAtHand = ([images] + images.members).allSatisfy { member in places.allSatisfy { member.isInMemory($0) } }
    let workers = isAtHand ? 0 : Runtime.threads
    let ahead = images.specification.isVolume ? workers : batchSize + workers
    self.init(
      images.specification, count: places.count, viewCount: views?.count ?? images.views.count, workers: workers,
      ahead: ahead
    ) { number in
      Result { try images.streamed(places[number], views: wanted?[places[number]]) }
    }
  }

  /// Images that are at hand, as one member of an ensemble sees them.
  convenience init(_ images: [StreamedImage], member: Int, for specification: InputSpecification) {
    self.init(specification, count: images.count, viewCount: nil, workers: 0, ahead: 1) { number in
      let image = images[number]
      return .success(StreamedImage(index: number, item: image.item, prepared: [image.prepared[member]]))
    }
  }
}

extension PreparedImages {
  /// Image `index` as the network, or each member of an ensemble, sees it.
  fileprivate func streamed(_ index: Int, views: [Int]?) throws -> StreamedImage {
    let all = members.isEmpty ? [self] : members
    return StreamedImage(
      index: index, item: items[index],
      prepared: try all.map { PreparedImage(values: try $0.values(at: index), placement: $0.placements[index]) },
      views: views)
  }

  /// Views counted over all images, as views of each image.
  fileprivate func wanted(_ chosen: [Int]) -> [Int: [Int]] {
    chosen.reduce(into: [:]) { $0[views[$1].image, default: []].append(views[$1].number) }
  }
}

extension InputSpecification {
  /// An item's image as the network, or each member of an ensemble, sees it. What members see alike is prepared once.
  /// - Parameter read: reads the image as one of them wants it.
  func seen(
    reading read: (InputSpecification) throws -> (image: MedicalImage, paired: MedicalImage?)
  ) throws -> (prepared: [PreparedImage], source: MedicalImage?) {
    guard let members else {
      let read = try read(self)
      return ([try prepared(read.image, paired: read.paired)], read.image)
    }
    var known: [(input: InputSpecification, prepared: PreparedImage)] = []
    var first: (image: MedicalImage, paired: MedicalImage?)?
    for input in members {
      if let alike = known.first(where: { $0.input.readsAlike(input) }) {
        known.append((input, alike.prepared))
      } else {
        // One member may take the paired image and another not.
        let isEnough = first.map {
          $0.image.grid.isVolume == input.isVolume && ($0.paired != nil || input.channels == 1)
        }
        let read = try (isEnough == true ? first : nil) ?? read(input)
        known.append((input, try input.prepared(read.image, paired: input.channels == 2 ? read.paired : nil)))
        first = read
      }
    }
    return (known.map(\.prepared), first?.image)
  }
}
