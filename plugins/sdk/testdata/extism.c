// extism is the sample in C behind the functions of Extism, as a kit for plugins
// of Extism would have them: the same plugin, that speaks both.
#include "../c/battery.c"

typedef unsigned long long handle;

#define EXTISM(name) __attribute__((import_module("extism:host/env"), import_name(#name)))
EXTISM(input_length) handle input_length(void);
EXTISM(input_load_u64) unsigned long long input_load_u64(handle);
EXTISM(input_load_u8) unsigned input_load_u8(handle);
EXTISM(alloc) handle extism_alloc(handle);
EXTISM(length) handle extism_length(handle);
EXTISM(load_u8) unsigned load_u8(handle);
EXTISM(store_u64) void store_u64(handle, unsigned long long);
EXTISM(store_u8) void store_u8(handle, unsigned);
EXTISM(output_set) void output_set(handle, handle);
EXTISM(error_set) void error_set(handle);
EXTISM(config_get) handle config_get(handle);
EXTISM(http_request) handle http_request(handle, handle); // as kits import it, used or not

static handle give(const char *text, unsigned n) {
  handle at = extism_alloc(n);
  unsigned i = 0;
  for (; i + 8 <= n; i += 8) {
    unsigned long long eight;
    __builtin_memcpy(&eight, text + i, 8);
    store_u64(at + i, eight);
  }
  for (; i < n; i++) store_u8(at + i, (unsigned char)text[i]);
  return at;
}

// configure makes of the one setting what twinrules would give.
static unsigned configure(char *into) {
  static const char begin[] = "{\"low\":";
  handle value = config_get(give("low", 3));
  unsigned n = sizeof begin - 1, more = (unsigned)extism_length(value);
  __builtin_memcpy(into, begin, n);
  for (unsigned i = 0; i < more; i++) into[n + i] = (char)load_u8(value + i);
  into[n + more] = '}';
  return n + more + 1;
}

__attribute__((export_name("evaluate"))) int evaluate(void) {
  unsigned n = (unsigned)input_length(), i = 0;
  char *at = (char *)twinrules_v1_alloc(256);
  if (twinrules_v1_init(at, configure(at)) != 0) {
    error_set(give("low is not a number", 19));
    return 1;
  }
  at = (char *)twinrules_v1_alloc(n + 8);
  for (; i + 8 <= n; i += 8) {
    unsigned long long eight = input_load_u64(i);
    __builtin_memcpy(at + i, &eight, 8);
  }
  for (; i < n; i++) at[i] = (char)input_load_u8(i);
  unsigned long long place = twinrules_v1_evaluate(at, n);
  if (place != 0) output_set(give((const char *)(unsigned)(place >> 32), (unsigned)place), (unsigned)place);
  if (n == 0) http_request(0, 0);
  return 0;
}
