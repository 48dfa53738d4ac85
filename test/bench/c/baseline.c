/*
 * The engine's hot paths in C, as the baseline of every ratio: walks of one and of two dimensions, and a TLB of two levels
 * in front of them. Memory is sparse as a simulator must have it: a directory by 2 MiB, then by frame, then an arena.
 *
 * usage: baseline STREAM PATH GUEST_PAGE SECOND_PAGE
 *   STREAM       prefix of the files STREAM.lo, STREAM.hi (32-bit halves of linear addresses) and STREAM.op (a byte each:
 *                0 read, 1 write, 2 fetch)
 *   PATH         walk1 (4-level walk), walk2 (two-dimensional), tlb1, tlb2 (the same behind the TLB)
 *   *_PAGE       4k, 2m or 1g
 *
 * For each line on standard input the whole stream is run once, from empty caches, and one line of JSON is printed: CPU
 * nanoseconds, checksum of the addresses reached, references, walks, hits of each TLB level, faults.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef uint8_t u8;
typedef uint32_t u32;
typedef uint64_t u64;

/* ---- physical memory */

#define FRAME_WORDS 512
#define BLOCK_FRAMES 512
#define NEAR_BLOCKS (1u << 15)

static u32 directory[NEAR_BLOCKS]; /* by 2 MiB block: place in frames; 0 is the absent block */
static u32 *frames;                /* by frame: place in the arena; 0 is the frame of zeros */
static u64 *arena;
static u32 blocks_used = 1, frames_used = 1, frames_room, blocks_room;

static void memory_init(void) {
  blocks_room = 64;
  frames_room = 1024;
  frames = calloc((size_t)blocks_room * BLOCK_FRAMES, sizeof *frames);
  arena = calloc((size_t)frames_room * FRAME_WORDS, sizeof *arena);
}

/* beyond the directory nothing is mapped here, but a simulator must ask */
static u64 *locate_far(u64 address) { return arena + ((address >> 3) & 511); }

static inline u64 *locate(u64 address) {
  if (address >> 36) return locate_far(address);
  u32 frame = frames[directory[address >> 21] * BLOCK_FRAMES + ((address >> 12) & 511)];
  return arena + (u64)frame * FRAME_WORDS + ((address >> 3) & 511);
}

static u64 *claim(u64 address) {
  u32 *block = &directory[address >> 21];
  if (*block == 0) {
    if (blocks_used == blocks_room) {
      frames = realloc(frames, (size_t)blocks_room * 2 * BLOCK_FRAMES * sizeof *frames);
      memset(frames + (size_t)blocks_room * BLOCK_FRAMES, 0, (size_t)blocks_room * BLOCK_FRAMES * sizeof *frames);
      blocks_room *= 2;
    }
    *block = blocks_used++;
  }
  u32 *frame = &frames[*block * BLOCK_FRAMES + ((address >> 12) & 511)];
  if (*frame == 0) {
    if (frames_used == frames_room) {
      arena = realloc(arena, (size_t)frames_room * 2 * FRAME_WORDS * sizeof *arena);
      memset(arena + (size_t)frames_room * FRAME_WORDS, 0, (size_t)frames_room * FRAME_WORDS * sizeof *arena);
      frames_room *= 2;
    }
    *frame = frames_used++;
  }
  return locate(address);
}

/* ---- entries */

#define FRAME 0x000ffffffffff000ull
#define RESERVED (0x3full << 46) /* MAXPHYADDR 46 */
#define P 1ull
#define RW 2ull
#define US 4ull
#define A 0x20ull
#define D 0x40ull
#define PS 0x80ull
#define XD (1ull << 63)
#define EPT_A 0x100ull
#define EPT_D 0x200ull

enum { READ, WRITE, FETCH };
/* rights of a translation, as they are cached */
enum { MAY_WRITE = 1, MAY_USER = 2, MAY_FETCH = 4, IS_DIRTY = 8 };

#define FAULT (~0ull)

static u64 guest_root, ept_root, host_root;
static u64 references, walks, faults, hits1, hits2;
static int shift_of[2]; /* of guest and second-stage pages */

typedef struct {
  u64 address;
  u32 rights, shift;
} Reached;

static inline u64 index_of(u64 address, int level) { return ((address >> (3 + 9 * level)) & 511) << 3; }

/* second stage, A/D on; `write` also for accesses to guest tables */
static inline u64 ept_walk(u64 gpa, int write, int fetch, u32 *rights, u32 *shift, int *dirty) {
  u64 table = ept_root, all = 7;
  for (int level = 4; level > 0; level--) {
    u64 *place = locate(table | index_of(gpa, level));
    u64 entry = *place;
    references++;
    if ((entry & 7) == 0) return FAULT;
    if ((entry & 3) == 2 || (entry & RESERVED)) return FAULT;
    all &= entry;
    if (level == 1 || (level < 4 && (entry & PS))) {
      u32 bits = 3 + 9 * level;
      u64 offset = (1ull << bits) - 1;
      if (entry & offset & FRAME) return FAULT;
      if ((all & 1) == 0 || (write && (all & 2) == 0) || (fetch && (all & 4) == 0)) return FAULT;
      u64 flags = EPT_A | (write ? EPT_D : 0);
      if ((entry & flags) != flags) *place = entry | flags;
      *rights = (u32)all;
      *shift = bits;
      *dirty = write || (entry & EPT_D) != 0;
      return (entry & FRAME & ~offset) | (gpa & offset);
    }
    if ((entry & EPT_A) == 0) *place = entry | EPT_A;
    table = entry & FRAME;
  }
  return FAULT;
}

/*
 * First stage; with `two` every address goes through EPT. User accesses. Accessed and dirty flags are set when the walk is
 * complete, as the processor's manual leaves it open and KVM does it.
 */
static inline Reached walk(u64 root, u64 linear, int op, const int two) {
  Reached none = {FAULT, 0, 0};
  u64 table = root, all = RW | US, any = 0;
  u64 *places[5], entries[5];
  u32 second_rights = 7, second_shift = 63;
  int second_dirty = 1;
  int level = 4;
  for (;; level--) {
    u64 at = table | index_of(linear, level);
    if (two && (at = ept_walk(at, 1, 0, &second_rights, &second_shift, &second_dirty)) == FAULT) return none;
    u64 *place = locate(at);
    u64 entry = *place;
    references++;
    places[level] = place;
    entries[level] = entry;
    if ((entry & P) == 0 || (entry & RESERVED)) return none;
    all &= entry;
    any |= entry;
    if (level == 1 || (level < 4 && (entry & PS))) break;
    if (level == 4 && (entry & PS)) return none;
    table = entry & FRAME;
  }
  u32 bits = 3 + 9 * level;
  u64 offset = (1ull << bits) - 1;
  u64 leaf = entries[level];
  if (level > 1 && (leaf & offset & FRAME & ~0x1000ull)) return none;
  if ((all & US) == 0 || (op == WRITE && (all & RW) == 0) || (op == FETCH && (any & XD))) return none;
  for (int n = 4; n >= level; n--) {
    u64 flags = A | (op == WRITE && n == level ? D : 0);
    if ((entries[n] & flags) != flags) *places[n] = entries[n] | flags;
  }
  u64 reached = (leaf & FRAME & ~offset) | (linear & offset);
  u32 rights = MAY_USER | (all & RW ? MAY_WRITE : 0) | (any & XD ? 0 : MAY_FETCH) | (op == WRITE || (leaf & D) ? IS_DIRTY : 0);
  u32 shift = bits;
  if (two) {
    reached = ept_walk(reached, op == WRITE, op == FETCH, &second_rights, &second_shift, &second_dirty);
    if (reached == FAULT) return none;
    if ((second_rights & 2) == 0) rights &= ~(u32)MAY_WRITE;
    if ((second_rights & 4) == 0) rights &= ~(u32)MAY_FETCH;
    if (!second_dirty) rights &= ~(u32)IS_DIRTY;
    if (second_shift < shift) shift = second_shift;
  }
  Reached found = {reached, rights, shift};
  return found;
}

static __attribute__((noinline)) Reached walk1(u64 linear, int op) { return walk(host_root, linear, op, 0); }
static __attribute__((noinline)) Reached walk2(u64 linear, int op) { return walk(guest_root, linear, op, 1); }

/* ---- TLB: two levels, set-associative, least recently used; lines of all page sizes */

#define L1_SETS 16
#define L1_WAYS 4
#define L2_SETS 128
#define L2_WAYS 12

/* tag: VPID << 48 | page number << 2 | class, with VALID; value: frame | rights; used: when last used */
#define ARRAY(name, lines) static u64 name##_tag[lines], name##_value[lines]; static u32 name##_used[lines];
ARRAY(l1, L1_SETS * L1_WAYS)
ARRAY(l2, L2_SETS * L2_WAYS)
#define VALID (1ull << 63)
static u64 vpid = 1ull << 54;
static u32 clock1, clock2;
static u8 classes; /* page sizes in use, a bit each */
static int two_dimensional;

static const u32 CLASS_SHIFT[3] = {12, 21, 30};
static const u32 NEEDED[3] = {MAY_USER, MAY_USER | MAY_WRITE | IS_DIRTY, MAY_USER | MAY_FETCH};

static inline u64 tag_of(u64 linear, int class) { return VALID | vpid | (linear >> CLASS_SHIFT[class]) << 2 | (u64)class; }
static inline u32 set1(u64 linear, int class) { return ((linear >> CLASS_SHIFT[class]) & (L1_SETS - 1)) * L1_WAYS; }
static inline u32 set2(u64 linear, int class) { return ((linear >> CLASS_SHIFT[class]) & (L2_SETS - 1)) * L2_WAYS; }

static void put(u64 *tags, u64 *values, u32 *used, int ways, u64 tag, u64 value, u32 now) {
  int line = -1;
  for (int way = 0; way < ways && line < 0; way++)
    if (tags[way] == tag) line = way;
  if (line < 0) {
    line = 0;
    for (int way = 1; way < ways; way++)
      if (used[way] < used[line]) line = way;
  }
  tags[line] = tag;
  values[line] = value;
  used[line] = now;
}

static inline u64 with_offset(u64 value, u64 linear, int class) {
  return (value & ~0xfffull) | (linear & ((1ull << CLASS_SHIFT[class]) - 1));
}

static void put1(u64 linear, int class, u64 tag, u64 value) {
  u32 set = set1(linear, class);
  put(l1_tag + set, l1_value + set, l1_used + set, L1_WAYS, tag, value, ++clock1);
}

static __attribute__((noinline)) u64 miss(u64 linear, int op) {
  u32 needed = NEEDED[op];
  for (int class = 0; class < 3; class++) {
    if ((classes >> class & 1) == 0) continue;
    u32 set = set2(linear, class);
    u64 tag = tag_of(linear, class);
    for (int way = 0; way < L2_WAYS; way++) {
      if (l2_tag[set + way] != tag) continue;
      u64 value = l2_value[set + way];
      if ((value & needed) != needed) break;
      l2_used[set + way] = ++clock2;
      hits2++;
      put1(linear, class, tag, value);
      return with_offset(value, linear, class);
    }
  }
  walks++;
  Reached found = two_dimensional ? walk2(linear, op) : walk1(linear, op);
  if (found.address == FAULT) return FAULT;
  int class = found.shift == 12 ? 0 : found.shift == 21 ? 1 : 2;
  classes |= 1 << class;
  u64 tag = tag_of(linear, class);
  u64 value = (found.address & ~((1ull << found.shift) - 1)) | found.rights;
  put1(linear, class, tag, value);
  u32 set = set2(linear, class);
  put(l2_tag + set, l2_value + set, l2_used + set, L2_WAYS, tag, value, ++clock2);
  return found.address;
}

/* the ways of one set; a line that does not allow the access is a miss */
#define LOOK(class)                                         \
  {                                                         \
    u32 set = set1(linear, class);                          \
    u64 tag = tag_of(linear, class);                        \
    for (int way = 0; way < L1_WAYS; way++) {               \
      if (l1_tag[set + way] != tag) continue;               \
      u64 value = l1_value[set + way];                      \
      if ((value & needed) != needed) return miss(linear, op); \
      l1_used[set + way] = ++clock1;                        \
      hits1++;                                              \
      return with_offset(value, linear, class);             \
    }                                                       \
  }

static inline u64 translate(u64 linear, int op) {
  u32 needed = NEEDED[op];
  LOOK(0) /* whatever page sizes are in use: 4K is the common case */
  if (classes & 2) LOOK(1)
  if (classes & 4) LOOK(2)
  return miss(linear, op);
}

/* ---- the mapped memory: 1 GiB of guest memory, or for a recorded stream just its pages */

#define GUEST_PAGES (1u << 18)
/* Guest frame n's host frame; guest tables come after the guest's 1 GiB. */
static u64 host_frame(u64 gfn) {
  if (shift_of[1] != 12) return 0x200000 + gfn;
  return gfn >= GUEST_PAGES ? 0x800000 + (gfn - GUEST_PAGES) : 0x200000 + (gfn * 0x9e3779b1ull & 0x3ffff);
}

static u64 next_host_table = 0x400000, next_guest_table = GUEST_PAGES;

static void map_in(u64 root, u64 address, u64 target, int bits, u64 link, u64 leaf, u64 (*table)(void), u64 (*where)(u64)) {
  u64 at = root;
  int last = (bits - 3) / 9;
  for (int level = 4; level > last; level--) {
    u64 *place = claim(where(at | index_of(address, level)));
    if ((*place & 7) == 0) {
      u64 fresh = table();
      place = claim(where(at | index_of(address, level)));
      *place = fresh | link;
    }
    at = *place & FRAME;
  }
  *claim(where(at | index_of(address, last))) = target | leaf | (last > 1 ? PS : 0);
}

static u64 same(u64 address) { return address; }
static u64 host_table(void) {
  u64 frame = next_host_table++ << 12;
  claim(frame);
  return frame;
}
static void map_ept(u64 gpa, u64 hpa) { map_in(ept_root, gpa, hpa, shift_of[1], 7, 7 | 6 << 3, host_table, same); }
static u64 behind_ept(u64 gpa) { return host_frame(gpa >> 12) << 12 | (gpa & 0xfff); }
static u64 guest_table(void) {
  u64 gpa = next_guest_table++ << 12;
  claim(behind_ept(gpa));
  u64 page = gpa & ~((1ull << shift_of[1]) - 1);
  map_ept(page, host_frame(page >> 12) << 12);
  return gpa;
}
static void map_guest(u64 linear, u64 gpa) { map_in(guest_root, linear, gpa, shift_of[0], 7, 7, guest_table, behind_ept); }
static void map_host(u64 linear, u64 hpa, int bits) { map_in(host_root, linear, hpa, bits, 7, 7, host_table, same); }

static int ascending(const void *a, const void *b) {
  u64 x = *(const u64 *)a, y = *(const u64 *)b;
  return x < y ? -1 : x > y;
}

#define WINDOW 0x7f0000000000ull

static void build(const u64 *linear, size_t count) {
  ept_root = host_table();
  host_root = host_table();
  guest_root = guest_table();
  int small = shift_of[0] < shift_of[1] ? shift_of[0] : shift_of[1];
  if ((linear[0] & ~0x3fffffffull) == WINDOW) {
    for (u64 page = 0; page < GUEST_PAGES; page += 1ull << (shift_of[1] - 12)) map_ept(page << 12, host_frame(page) << 12);
    for (u64 page = 0; page < GUEST_PAGES; page += 1ull << (shift_of[0] - 12)) {
      u64 gfn = shift_of[0] == 12 ? page * 0x9e3779b1ull & (GUEST_PAGES - 1) : page;
      map_guest(WINDOW + (page << 12), gfn << 12);
    }
    for (u64 page = 0; page < GUEST_PAGES; page += 1ull << (small - 12)) {
      u64 gfn = shift_of[0] == 12 ? page * 0x9e3779b1ull & (GUEST_PAGES - 1) : page;
      map_host(WINDOW + (page << 12), host_frame(gfn) << 12, small);
    }
    return;
  }
  u64 *pages = malloc(count * sizeof *pages);
  for (size_t i = 0; i < count; i++) pages[i] = linear[i] >> 12;
  qsort(pages, count, sizeof *pages, ascending);
  u64 gfn = 0;
  for (size_t i = 0; i < count; i++) {
    if (i > 0 && pages[i] == pages[i - 1]) continue;
    map_ept(gfn << 12, host_frame(gfn) << 12);
    map_guest(pages[i] << 12, gfn << 12);
    map_host(pages[i] << 12, host_frame(gfn) << 12, 12);
    gfn++;
  }
  free(pages);
}

/* ---- running */

static u64 cpu(void) {
  struct timespec t;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return (u64)t.tv_sec * 1000000000ull + (u64)t.tv_nsec;
}

static void *slurp(const char *prefix, const char *ending, size_t *bytes) {
  char path[4096];
  snprintf(path, sizeof path, "%s.%s", prefix, ending);
  FILE *file = fopen(path, "rb");
  if (!file) {
    perror(path);
    exit(1);
  }
  fseek(file, 0, SEEK_END);
  *bytes = (size_t)ftell(file);
  rewind(file);
  void *data = malloc(*bytes);
  if (fread(data, 1, *bytes, file) != *bytes) exit(1);
  fclose(file);
  return data;
}

static int shift_named(const char *name) { return name[0] == '4' ? 12 : name[0] == '2' ? 21 : 30; }

int main(int argc, char **argv) {
  if (argc != 5) return 2;
  size_t bytes, count;
  u32 *lo = slurp(argv[1], "lo", &bytes), *hi = slurp(argv[1], "hi", &bytes);
  u8 *op = slurp(argv[1], "op", &count);
  u64 *linear = malloc(count * sizeof *linear);
  for (size_t i = 0; i < count; i++) linear[i] = (u64)hi[i] << 32 | lo[i];
  const char *path = argv[2];
  shift_of[0] = shift_named(argv[3]);
  shift_of[1] = shift_named(argv[4]);
  two_dimensional = path[strlen(path) - 1] == '2';
  int cached = path[0] == 't';
  memory_init();
  build(linear, count);
  for (int c; (c = getchar()) != EOF;) {
    if (c != '\n') continue;
    references = walks = faults = hits1 = hits2 = 0;
#define CLEAR(name) memset(name##_tag, 0, sizeof name##_tag), memset(name##_used, 0, sizeof name##_used);
    CLEAR(l1) CLEAR(l2)
    clock1 = clock2 = 0;
    classes = 0;
    u32 sum = 0;
    u64 start = cpu();
#define RUN(expression)                                                  \
  for (size_t i = 0; i < count; i++) {                                   \
    u64 address = linear[i];                                             \
    u64 reached = (u64)((int64_t)(address << 16) >> 16) == address ? (expression) : FAULT; \
    if (reached == FAULT) faults++;                                      \
    else sum += (u32)(reached >> 12) ^ (u32)reached;                     \
  }
    if (cached) RUN(translate(address, op[i]))
    else if (two_dimensional) RUN(walk2(address, op[i]).address)
    else RUN(walk1(address, op[i]).address)
    u64 spent = cpu() - start;
    printf("{\"cpu\":%llu,\"count\":%zu,\"sum\":%u,\"references\":%llu,\"walks\":%llu,\"hits1\":%llu,\"hits2\":%llu,\"faults\":%llu,\"frames\":%u}\n",
           (unsigned long long)spent, count, sum, (unsigned long long)references, (unsigned long long)walks,
           (unsigned long long)hits1, (unsigned long long)hits2, (unsigned long long)faults, frames_used - 1);
    fflush(stdout);
  }
  return 0;
}
