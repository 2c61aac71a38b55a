/* The floor of a cold start: the same library, opened by a C program, one model, one prediction.
 *
 *     cc -O2 -o floor bench/cold/floor.c -ldl && ./floor LIBRARY MODEL [COLUMNS]
 *
 * It prints the answer's first value. The table is read by position, as functions/core/onnx/library.py reads it.
 */
#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

typedef void *Status;
typedef struct {
    void **(*get_api)(uint32_t);
    const char *(*get_version)(void);
} Base;

static void **api;

static void check(Status status) {
    if (status == NULL) return;
    fprintf(stderr, "%s\n", ((const char *(*)(Status))api[2])(status));
    exit(1);
}

int main(int argc, char **argv) {
    if (argc < 3) return fprintf(stderr, "floor LIBRARY MODEL [COLUMNS]\n"), 2;
    int64_t shape[2] = {1, argc > 3 ? atoi(argv[3]) : 30};
    void *library = dlopen(argv[1], RTLD_NOW);
    if (library == NULL) return fprintf(stderr, "%s\n", dlerror()), 1;
    api = ((Base *(*)(void))dlsym(library, "OrtGetApiBase"))()->get_api(24);
    void *env, *options, *session, *memory, *input, *outputs[2] = {NULL, NULL}, *allocator;
    check(((Status(*)(int, const char *, void **))api[3])(4, "", &env));
    check(((Status(*)(void **))api[10])(&options));
    check(((Status(*)(void *, int))api[24])(options, 1));
    check(((Status(*)(void *, int))api[25])(options, 1));
    check(((Status(*)(void *, const char *, void *, void **))api[7])(env, argv[2], options, &session));
    check(((Status(*)(void **))api[78])(&allocator));
    char *takes, *gives[2];
    check(((Status(*)(void *, size_t, void *, char **))api[36])(session, 0, allocator, &takes));
    size_t count, size = shape[1] * sizeof(float);
    check(((Status(*)(void *, size_t *))api[31])(session, &count));
    for (size_t i = 0; i < count && i < 2; i++)
        check(((Status(*)(void *, size_t, void *, char **))api[37])(session, i, allocator, &gives[i]));
    float *row = malloc(size);
    for (int64_t i = 0; i < shape[1]; i++) row[i] = 0.5f;
    check(((Status(*)(int, int, void **))api[69])(0, 0, &memory));
    check(((Status(*)(void *, void *, size_t, int64_t *, size_t, int, void **))api[49])(
        memory, row, size, shape, 2, 1, &input));
    check(((Status(*)(void *, void *, char **, void **, size_t, char **, size_t, void **))api[9])(
        session, NULL, &takes, &input, 1, gives, count < 2 ? count : 2, outputs));
    float *answer;
    check(((Status(*)(void *, float **))api[51])(outputs[count < 2 ? 0 : 1], &answer));
    printf("%g\n", answer[0]);
    fflush(stdout);
    _exit(0);
}
