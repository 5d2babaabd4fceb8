import CMedicalImaging

/// What becomes of memory that is freed, in the whole program.
public enum FreedMemory {
  /// Keeps up to 64 MiB for what is read next; a program calls it once, before it reads. By itself glibc gives memory back
  /// after each image until blocks of 32 MiB have been freed, and taking it again, page by page, costs more than reading an
  /// uncompressed image does.
  public static func keep() { cmi_keep_freed_memory() }
}
