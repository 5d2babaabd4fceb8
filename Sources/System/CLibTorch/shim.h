// The C++ headers of libtorch are included by CTorch alone; this module carries only the linker settings.
