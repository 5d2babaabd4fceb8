// Vectors of 16 floats, and matrix products whose blocks of results stay in registers. To be included inside of a region that
// is compiled for AVX-512, after <algorithm> and <cstdint>: what is here belongs to the file that includes it.
namespace norma {
namespace {

constexpr int64_t lanes = 16;

typedef float Vector __attribute__((vector_size(64)));
typedef float VectorAnywhere __attribute__((vector_size(64), aligned(4)));  // in memory: where any float may lie

inline Vector load(const float *values) { return *reinterpret_cast<const VectorAnywhere *>(values); }
inline void store(float *values, Vector vector) { *reinterpret_cast<VectorAnywhere *>(values) = vector; }
inline Vector all(float value) { return value - Vector{}; }  // a sum with zero would be computed, for the sake of −0

// A left factor: element (r, t) lies at r · row + t · step.
struct Left {
  const float *values;
  int64_t row, step;
};

template <int rows, int vectors>
inline void block(Left a, const float *b, int64_t b_stride, float *c, int64_t c_stride, int64_t depth, bool adds) {
  Vector sums[rows][vectors];
  for (int r = 0; r < rows; r++)
    for (int v = 0; v < vectors; v++) sums[r][v] = adds ? load(c + r * c_stride + v * lanes) : all(0);
  for (int64_t t = 0; t < depth; t++) {
    Vector right[vectors];
    for (int v = 0; v < vectors; v++) right[v] = load(b + t * b_stride + v * lanes);
    for (int r = 0; r < rows; r++) {
      Vector left = all(a.values[r * a.row + t * a.step]);
      for (int v = 0; v < vectors; v++) sums[r][v] += left * right[v];
    }
  }
  for (int r = 0; r < rows; r++)
    for (int v = 0; v < vectors; v++) store(c + r * c_stride + v * lanes, sums[r][v]);
}

// As many rows as there are, at most `most`, in one block.
template <int most, int vectors>
inline void rest(int64_t rows, Left a, const float *b, int64_t b_stride, float *c, int64_t c_stride, int64_t depth,
                 bool adds) {
  if constexpr (most > 0) {
    if (rows == most) return block<most, vectors>(a, b, b_stride, c, c_stride, depth, adds);
    rest<most - 1, vectors>(rows, a, b, b_stride, c, c_stride, depth, adds);
  }
}

// c = a · b, or c += a · b, where b and c are `vectors` · 16 columns wide, in blocks of eight rows: with twelve, their addresses
// no longer fit into registers.
template <int vectors>
inline void columns(Left a, const float *b, int64_t b_stride, float *c, int64_t c_stride, int64_t rows, int64_t depth,
                    bool adds) {
  for (int64_t r = 0; r < rows; r += 8)
    rest<8, vectors>(std::min<int64_t>(rows - r, 8), {a.values + r * a.row, a.row, a.step}, b, b_stride, c + r * c_stride,
                     c_stride, depth, adds);
}

}  // namespace
}  // namespace norma
