// The C++ headers of GDCM are included by CMedicalImaging alone; this module carries only the linker settings.
