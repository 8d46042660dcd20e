// 3x3 convolutions with zeros around their input, by Winograd's F(4x4, 3x3), and PReLU. Signals are float32 and
// channels-last; channels are multiples of 16. The transforms are those of Lavin and Gray 2016, "Fast Algorithms for
// Convolutional Neural Networks". training/winograd.py calls this.

#include <algorithm>
#include <cstdlib>
#include <cstring>

typedef float Vector __attribute__((vector_size(32)));
typedef float Unaligned __attribute__((vector_size(32), aligned(4), may_alias));

static const int LANES = 8;
static const int POINTS = 36;  // of a transformed tile: 6 x 6
static const int ROWS = 48;    // tiles that are computed together, a multiple of 6; their 2 x 440 kB stay in a core's cache

// Values from one point of a block to the next. Without the 16 more, all points would fall into the same few lines of a
// core's first cache.
static inline long stride_of(int channels) { return (long)ROWS * channels + 16; }

static inline Vector load(const float* from) { return *(const Unaligned*)from; }
static inline void store(float* to, Vector value) { *(Unaligned*)to = value; }
static inline Vector all(float f) { return Vector{f, f, f, f, f, f, f, f}; }

// The input's transform, the transposed B, of six values.
static inline void transform_input(const Vector* d, int step, Vector* out) {
  Vector d0 = d[0], d1 = d[step], d2 = d[2 * step], d3 = d[3 * step], d4 = d[4 * step], d5 = d[5 * step];
  Vector even = d4 - 4 * d2, odd = d3 - 4 * d1, even2 = d4 - d2, odd2 = 2 * (d3 - d1);
  out[0] = 4 * d0 - 5 * d2 + d4;
  out[1] = even + odd;
  out[2] = even - odd;
  out[3] = even2 + odd2;
  out[4] = even2 - odd2;
  out[5] = 4 * d1 - 5 * d3 + d5;
}

// The output's transform, the transposed A, of six values.
static inline void transform_output(const Vector* m, int step, Vector* out) {
  Vector m1 = m[step], m2 = m[2 * step], m3 = m[3 * step], m4 = m[4 * step];
  Vector sum = m1 + m2, difference = m1 - m2, sum2 = m3 + m4, difference2 = m3 - m4;
  out[0] = m[0] + sum + sum2;
  out[1] = difference + 2 * difference2;
  out[2] = sum + 4 * sum2;
  out[3] = difference + 8 * difference2 + m[5 * step];
}

// A of four values: what the output's transform makes of gradients on their way back.
static inline void transform_gradient(const Vector* d, int step, Vector* out) {
  Vector d0 = d[0], d1 = d[step], d2 = d[2 * step], d3 = d[3 * step];
  Vector even = d0 + d2, odd = d1 + d3, even2 = d0 + 4 * d2, odd2 = 2 * d1 + 8 * d3;
  out[0] = d0;
  out[1] = even + odd;
  out[2] = even - odd;
  out[3] = even2 + odd2;
  out[4] = even2 - odd2;
  out[5] = d3;
}

// n pictures of h rows of w pixels, in tiles of 4x4 results; those at the right and below may be cut.
struct Grid {
  int n, h, w;
  int across() const { return (w + 3) / 4; }
  int down() const { return (h + 3) / 4; }
  int tiles() const { return n * across() * down(); }
};

struct Place {
  int picture, top, left;
  Place(const Grid& grid, int tile)
      : picture(tile / (grid.across() * grid.down())),
        top(4 * (tile / grid.across() % grid.down())),
        left(4 * (tile % grid.across())) {}
  long pixel(const Grid& grid, int i, int j) const { return ((long)picture * grid.h + top + i) * grid.w + left + j; }
  bool inside(const Grid& grid, int i, int j) const {
    return top + i >= 0 && top + i < grid.h && left + j >= 0 && left + j < grid.w;
  }
};

// A tile of the input and a pixel around it, transformed: its 36 points of `channels` values go `stride` apart.
static void read_input(const float* x, const Grid& grid, int channels, int tile, float* to, long stride) {
  Place place(grid, tile);
  for (int c = 0; c < channels; c += LANES) {
    Vector values[6][6], columns[6][6], row[6];
    for (int i = 0; i < 6; i++)
      for (int j = 0; j < 6; j++)
        values[i][j] = place.inside(grid, i - 1, j - 1) ? load(x + place.pixel(grid, i - 1, j - 1) * channels + c) : Vector{};
    for (int j = 0; j < 6; j++) transform_input(&values[0][j], 6, columns[j]);
    for (int i = 0; i < 6; i++) {
      transform_input(&columns[0][i], 6, row);
      for (int j = 0; j < 6; j++) store(to + (6 * i + j) * stride + c, row[j]);
    }
  }
}

// The same of the gradients of a tile of results, whose sum is added to `sums`.
static void read_gradient(const float* dy, const Grid& grid, int channels, int tile, float* to, long stride, float* sums) {
  Place place(grid, tile);
  for (int c = 0; c < channels; c += LANES) {
    Vector values[4][4], columns[4][6], row[6], sum = load(sums + c);
    for (int i = 0; i < 4; i++)
      for (int j = 0; j < 4; j++) {
        values[i][j] = place.inside(grid, i, j) ? load(dy + place.pixel(grid, i, j) * channels + c) : Vector{};
        sum += values[i][j];
      }
    store(sums + c, sum);
    for (int j = 0; j < 4; j++) transform_gradient(&values[0][j], 4, columns[j]);
    for (int i = 0; i < 6; i++) {
      transform_gradient(&columns[0][i], 6, row);
      for (int j = 0; j < 6; j++) store(to + (6 * i + j) * stride + c, row[j]);
    }
  }
}

// A tile of results from its 36 points.
static void write_output(const float* from, long stride, const float* bias, const Grid& grid, int channels, int tile, float* y) {
  Place place(grid, tile);
  for (int c = 0; c < channels; c += LANES) {
    Vector values[6][6], columns[6][4], row[4], added = load(bias + c);
    for (int i = 0; i < 6; i++)
      for (int j = 0; j < 6; j++) values[i][j] = load(from + (6 * i + j) * stride + c);
    for (int j = 0; j < 6; j++) transform_output(&values[0][j], 6, columns[j]);
    for (int i = 0; i < 4; i++) {
      transform_output(&columns[0][i], 4, row);
      for (int j = 0; j < 4; j++)
        if (place.inside(grid, i, j)) store(y + place.pixel(grid, i, j) * channels + c, row[j] + added);
    }
  }
}

// m (ROWS, outgoing) = v (ROWS, incoming) times u (incoming, outgoing)
static void multiply(const float* v, const float* u, float* m, int incoming, int outgoing) {
  for (int c = 0; c < outgoing; c += 2 * LANES)
    for (int r = 0; r < ROWS; r += 6) {
      Vector sums[6][2] = {};
      for (int k = 0; k < incoming; k++) {
        Vector left = load(u + (long)k * outgoing + c), right = load(u + (long)k * outgoing + c + LANES);
#pragma GCC unroll 6
        for (int i = 0; i < 6; i++) {
          Vector value = all(v[(long)(r + i) * incoming + k]);
          sums[i][0] += value * left;
          sums[i][1] += value * right;
        }
      }
      for (int i = 0; i < 6; i++)
        for (int half = 0; half < 2; half++) store(m + (long)(r + i) * outgoing + c + half * LANES, sums[i][half]);
    }
}

// du (incoming, outgoing) += transposed v (ROWS, incoming) times m (ROWS, outgoing)
static void add_products(const float* v, const float* m, float* du, int incoming, int outgoing) {
  for (int c = 0; c < outgoing; c += 2 * LANES)
    for (int r = 0; r < incoming; r += 4) {
      Vector sums[4][2];
      for (int i = 0; i < 4; i++)
        for (int half = 0; half < 2; half++) sums[i][half] = load(du + (long)(r + i) * outgoing + c + half * LANES);
      for (int k = 0; k < ROWS; k++) {
        Vector left = load(m + (long)k * outgoing + c), right = load(m + (long)k * outgoing + c + LANES);
#pragma GCC unroll 4
        for (int i = 0; i < 4; i++) {
          Vector value = all(v[(long)k * incoming + r + i]);
          sums[i][0] += value * left;
          sums[i][1] += value * right;
        }
      }
      for (int i = 0; i < 4; i++)
        for (int half = 0; half < 2; half++) store(du + (long)(r + i) * outgoing + c + half * LANES, sums[i][half]);
    }
}

// Room for `count` values, zeros.
struct Room {
  float* values;
  explicit Room(long count) : values((float*)aligned_alloc(64, (count * sizeof(float) + 63) / 64 * 64)) {
    if (!values) std::abort();
    memset(values, 0, count * sizeof(float));
  }
  ~Room() { free(values); }
  Room(const Room&) = delete;
};

extern "C" {

// y (n, h, w, outgoing) from x (n, h, w, incoming), weights u (36, incoming, outgoing) and bias (outgoing)
void convolve(const float* x, const float* u, const float* bias, float* y, int n, int h, int w, int incoming, int outgoing,
              int threads) {
  Grid grid{n, h, w};
#pragma omp parallel num_threads(threads)
  {
    Room v(POINTS * stride_of(incoming)), m(POINTS * stride_of(outgoing));
#pragma omp for schedule(dynamic)
    for (int first = 0; first < grid.tiles(); first += ROWS) {
      int count = std::min(ROWS, grid.tiles() - first);
      for (int t = 0; t < count; t++) read_input(x, grid, incoming, first + t, v.values + t * incoming, stride_of(incoming));
      for (long p = 0; p < POINTS; p++)
        multiply(v.values + p * stride_of(incoming), u + p * incoming * outgoing, m.values + p * stride_of(outgoing), incoming, outgoing);
      for (int t = 0; t < count; t++)
        write_output(m.values + t * outgoing, stride_of(outgoing), bias, grid, outgoing, first + t, y);
    }
  }
}

// Adds the gradients of weights, du (36, incoming, outgoing), and of the bias, db (outgoing), for those of the results, dy.
void convolve_backward(const float* x, const float* dy, float* du, float* db, int n, int h, int w, int incoming, int outgoing,
                       int threads) {
  Grid grid{n, h, w};
#pragma omp parallel num_threads(threads)
  {
    Room v(POINTS * stride_of(incoming)), m(POINTS * stride_of(outgoing));
    Room own((long)POINTS * incoming * outgoing), sums(outgoing);
#pragma omp for schedule(dynamic)
    for (int first = 0; first < grid.tiles(); first += ROWS) {
      int count = std::min(ROWS, grid.tiles() - first);
      if (count < ROWS) memset(v.values, 0, POINTS * stride_of(incoming) * sizeof(float));
      for (int t = 0; t < count; t++) {
        read_input(x, grid, incoming, first + t, v.values + t * incoming, stride_of(incoming));
        read_gradient(dy, grid, outgoing, first + t, m.values + t * outgoing, stride_of(outgoing), sums.values);
      }
      for (long p = 0; p < POINTS; p++)
        add_products(v.values + p * stride_of(incoming), m.values + p * stride_of(outgoing), own.values + p * incoming * outgoing, incoming,
                     outgoing);
    }
#pragma omp critical
    {
      for (long i = 0; i < (long)POINTS * incoming * outgoing; i++) du[i] += own.values[i];
      for (int c = 0; c < outgoing; c++) db[c] += sums.values[c];
    }
  }
}

// a = z if it is above 0, else its channel's slope times it: (pixels, channels)
void prelu(const float* z, const float* slopes, float* a, long pixels, int channels, int threads) {
#pragma omp parallel for schedule(static) num_threads(threads)
  for (long p = 0; p < pixels; p++)
    for (int c = 0; c < channels; c += LANES) {
      Vector value = load(z + p * channels + c);
      store(a + p * channels + c, value > 0 ? value : load(slopes + c) * value);
    }
}

// The gradient of z, dz, from that of the results, da; adds those of the slopes, ds (channels).
void prelu_backward(const float* z, const float* slopes, const float* da, float* dz, float* ds, long pixels, int channels,
                    int threads) {
#pragma omp parallel num_threads(threads)
  {
    Room own(channels);
#pragma omp for schedule(static)
    for (long p = 0; p < pixels; p++)
      for (int c = 0; c < channels; c += LANES) {
        Vector value = load(z + p * channels + c), gradient = load(da + p * channels + c);
        auto above = value > 0;
        store(dz + p * channels + c, above ? gradient : load(slopes + c) * gradient);
        store(own.values + c, load(own.values + c) + (above ? Vector{} : value * gradient));
      }
#pragma omp critical
    for (int c = 0; c < channels; c++) ds[c] += own.values[c];
  }
}
}
