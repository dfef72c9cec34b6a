/* api/certificate-store: the directory of certificates, as it is found and as it is left. */
#include "authority.h"

#include "nodeagent/api/certificate_request.h"
#include "nodeagent/api/certificate_store.h"
#include "nodeagent/sys/files.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define DATED "kubelet-client-2026-01-02-03-04-05.pem"

struct world {
    char *place;
    struct certificate_store store;
    struct authority authority;
};

static int set_up(void **state)
{
    struct world *world = mem_new(struct world);

    world->place = make_place();
    authority_init(&world->authority);
    world->store = (struct certificate_store){
        .directory = certificate_directory_open(world->place, NULL),
        .path = world->place,
        .pair = CERTIFICATE_PAIR_CLIENT,
    };
    assert_true(world->store.directory >= 0);
    *state = world;
    return 0;
}

static int tear_down(void **state)
{
    struct world *world = *state;

    close(world->store.directory);
    authority_deinit(&world->authority);
    remove_place(world->place);
    free(world);
    return 0;
}

/* Issues a certificate of that name, chain and key in two texts. */
static void make_pair(struct world *world, const char *name, struct strbuf *chain,
                      struct strbuf *key)
{
    EVP_PKEY *made = EVP_EC_gen("P-256");

    add_issued(chain, &world->authority, made, &(struct issue){.common_name = name});
    add_certificate(chain, world->authority.certificate);
    add_key(key, made);
    EVP_PKEY_free(made);
}

static void make_certificate(struct world *world, const char *name, struct certificate *certificate)
{
    _cleanup_(strbuf_deinit) struct strbuf chain = STRBUF_INIT, key = STRBUF_INIT;
    struct certificate_text chain_text, key_text;

    make_pair(world, name, &chain, &key);
    chain_text = text_of("chain", &chain);
    key_text = text_of("key", &key);
    assert_int_equal(certificate_parse(certificate, &chain_text, &key_text, NULL), 0);
}

static void save(struct world *world, const char *name, int64_t seconds)
{
    struct certificate certificate;
    struct err err;

    make_certificate(world, name, &certificate);
    assert_int_equal(certificate_store_save(&world->store, &certificate, SECONDS(seconds), &err),
                     0);
    certificate_deinit(&certificate);
}

static void assert_loaded(const struct world *world, const char *chain_path, const char *key_path,
                          const char *name)
{
    struct certificate certificate;
    struct err err;

    if (certificate_store_load(&world->store, chain_path, key_path, &certificate, &err) < 0)
        fail_msg("%s", err.text);
    assert_string_equal(certificate.common_name, name);
    assert_non_null(certificate.key.text);
    certificate_deinit(&certificate);
}

static void assert_not_loaded(const struct world *world, int code, const char *sentence)
{
    struct certificate certificate;
    struct err err;

    assert_int_equal(certificate_store_load(&world->store, NULL, NULL, &certificate, &err), code);
    assert_sentence(&err, sentence);
    assert_null(certificate.key.text);
}

static bool exists(const struct world *world, const char *name)
{
    return faccessat(world->store.directory, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

static mode_t mode_of(const struct world *world, const char *name)
{
    struct stat status;

    assert_int_equal(fstatat(world->store.directory, name, &status, AT_SYMLINK_NOFOLLOW), 0);
    return status.st_mode;
}

static void assert_target(const struct world *world, const char *expected)
{
    char target[256];
    ssize_t length = readlinkat(world->store.directory, "kubelet-client-current.pem", target,
                                sizeof(target) - 1);

    assert_true(length > 0);
    target[length] = '\0';
    assert_string_equal(target, expected);
}

static void test_an_empty_directory(void **state)
{
    struct world *world = *state;

    assert_not_loaded(world, -ENOENT, "there is no kubelet-client-current.pem in it");
    assert_not_loaded(world, -ENOENT, world->place);
}

static void test_a_directory_is_made_and_cleaned(void **state)
{
    struct world *world = *state;
    char *path = mem_printf("%s/a/pki", world->place);
    struct stat status;
    struct err err;
    int fd = certificate_directory_open(path, &err);

    assert_int_equal(fstat(fd, &status), 0);
    assert_int_equal(status.st_mode & 07777, 0700);
    close(openat(fd, FILE_TEMPORARY_PREFIX "x", O_CREAT | O_WRONLY, 0600));
    close(fd);
    fd = certificate_directory_open(path, &err);
    assert_int_equal(faccessat(fd, FILE_TEMPORARY_PREFIX "x", F_OK, 0), -1);
    close(fd);
    free(path);
    assert_int_equal(certificate_directory_open("/proc/version/pki", &err), -ENOTDIR);
    assert_sentence(&err, "/proc/version");
}

static void test_saved_and_loaded(void **state)
{
    struct world *world = *state;

    save(world, "first", NOW);
    assert_true(S_ISLNK(mode_of(world, "kubelet-client-current.pem")));
    assert_int_equal(mode_of(world, DATED), S_IFREG | 0600);
    assert_target(world, DATED);
    assert_loaded(world, NULL, NULL, "first");
    save(world, "second", NOW + 1);
    assert_target(world, "kubelet-client-2026-01-02-03-04-06.pem");
    assert_loaded(world, NULL, NULL, "second");
    save(world, "third", NOW + 1); /* in the same second */
    assert_loaded(world, NULL, NULL, "third");
}

static void test_a_file_has_the_chain_and_then_the_key(void **state)
{
    _cleanup_(strbuf_deinit) struct strbuf text = STRBUF_INIT;
    struct world *world = *state;
    char *key;

    save(world, "n", NOW);
    assert_int_equal(
        file_read_beneath(world->store.directory, DATED, FILE_LINKS_REFUSED, 10000, &text, NULL),
        0);
    assert_true(str_has_prefix(text.text, "-----BEGIN CERTIFICATE-----\n"));
    key = strstr(text.text, "-----BEGIN EC PRIVATE KEY-----\n");
    assert_non_null(key);
    assert_null(strstr(key, "BEGIN CERTIFICATE"));
}

static void test_the_order_of_loading(void **state)
{
    _cleanup_(strbuf_deinit) struct strbuf chain = STRBUF_INIT, key = STRBUF_INIT,
                                           old_chain = STRBUF_INIT, old_key = STRBUF_INIT;
    struct world *world = *state;
    char *chain_path = mem_printf("%s/given.crt", world->place),
         *key_path = mem_printf("%s/given.key", world->place);

    make_pair(world, "given", &chain, &key);
    make_pair(world, "old", &old_chain, &old_key);
    write_text(world->place, "kubelet-client.crt", &old_chain);
    assert_not_loaded(world, -ENOENT, "");
    write_text(world->place, "kubelet-client.key", &old_key);
    assert_loaded(world, NULL, NULL, "old");
    assert_loaded(world, chain_path, key_path, "old");
    write_text(world->place, "given.crt", &chain);
    write_text(world->place, "given.key", &key);
    assert_loaded(world, chain_path, key_path, "given");
    save(world, "current", NOW);
    assert_loaded(world, chain_path, key_path, "current");
    assert_int_equal(unlinkat(world->store.directory, DATED, 0), 0);
    assert_loaded(world, chain_path, key_path, "given"); /* a link that leads nowhere */
    free(chain_path);
    free(key_path);
}

static void test_links_of_the_kubelet(void **state)
{
    struct world *world = *state;
    char *path = mem_printf("%s/" DATED, world->place);

    save(world, "n", NOW);
    assert_int_equal(unlinkat(world->store.directory, "kubelet-client-current.pem", 0), 0);
    assert_int_equal(symlinkat(path, world->store.directory, "kubelet-client-current.pem"), 0);
    assert_loaded(world, NULL, NULL, "n");
    assert_int_equal(certificate_store_tidy(&world->store, NULL), 0);
    assert_loaded(world, NULL, NULL, "n");
    free(path);
}

static void test_links_that_lead_out(void **state)
{
    struct world *world = *state;

    assert_int_equal(symlinkat("../x.pem", world->store.directory, "kubelet-client-current.pem"),
                     0);
    assert_not_loaded(world, -EXDEV, "the path leads out of its directory");
}

static void test_what_is_broken_is_not_passed_over(void **state)
{
    _cleanup_(strbuf_deinit) struct strbuf chain = STRBUF_INIT, key = STRBUF_INIT,
                                           garbage = STRBUF_INIT;
    struct world *world = *state;

    make_pair(world, "old", &chain, &key);
    write_text(world->place, "kubelet-client.crt", &chain);
    write_text(world->place, "kubelet-client.key", &key);
    strbuf_add(&garbage, "garbage");
    save(world, "n", NOW);
    write_text(world->place, DATED, &garbage);
    assert_not_loaded(world, -EINVAL, "/kubelet-client-current.pem: there is no certificate in it");
    assert_int_equal(unlinkat(world->store.directory, "kubelet-client-current.pem", 0), 0);
    write_text(world->place, "kubelet-client.key", &garbage);
    assert_not_loaded(world, -EINVAL, "/kubelet-client.key: there is no private key in it");
}

static void test_a_file_in_place_of_the_link_is_kept(void **state)
{
    _cleanup_(strbuf_deinit) struct strbuf both = STRBUF_INIT;
    struct world *world = *state;
    struct certificate certificate;
    struct err err;

    make_pair(world, "mine", &both, &both);
    write_text(world->place, "kubelet-client-current.pem", &both);
    assert_loaded(world, NULL, NULL, "mine");
    make_certificate(world, "n", &certificate);
    assert_int_equal(certificate_store_save(&world->store, &certificate, SECONDS(NOW), &err),
                     -EEXIST);
    assert_sentence(&err, "kubelet-client-current.pem is a file and should be a link");
    certificate_deinit(&certificate);
    assert_false(exists(world, DATED));
    assert_loaded(world, NULL, NULL, "mine");
}

static void test_old_files_go(void **state)
{
    static const char *const others[] = {"kubelet-client-2020-01-02-03-04-05.pem.bak",
                                         "kubelet-client-aaaa-01-02-03-04-05.pem",
                                         "kubelet-server-2020-01-02-03-04-05.pem"};
    struct world *world = *state;
    struct strbuf empty = {.text = (char[]){""}};
    char name[64];

    for (size_t i = 0; i < array_size(others); i++)
        write_text(world->place, others[i], &empty);
    for (int i = 0; i < 10; i++)
        save(world, "n", NOW + i);
    assert_int_equal(certificate_store_tidy(&world->store, NULL), 0);
    for (int i = 0; i < 10; i++) {
        snprintf(name, sizeof(name), "kubelet-client-2026-01-02-03-04-%02d.pem", 5 + i);
        assert_int_equal(exists(world, name), i >= 10 - CERTIFICATES_KEPT);
    }
    for (size_t i = 0; i < array_size(others); i++)
        assert_true(exists(world, others[i]));
    /* A clock that went back: the one in use stays, however old its name is. */
    save(world, "back", NOW - 1000);
    assert_int_equal(certificate_store_tidy(&world->store, NULL), 0);
    assert_loaded(world, NULL, NULL, "back");
}

static void test_a_key_that_a_kubelet_left(void **state)
{
    struct world *world = *state;
    struct strbuf key = {.text = (char[]){"key"}, .length = 3};
    struct err err;

    write_text(world->place, "kubelet-client.key.tmp", &key);
    assert_int_equal(certificate_store_tidy(&world->store, &err), 0);
    assert_false(exists(world, "kubelet-client.key.tmp"));
    assert_int_equal(mkdirat(world->store.directory, "kubelet-client.key.tmp", 0700), 0);
    assert_int_equal(certificate_store_tidy(&world->store, &err), -EISDIR);
    assert_sentence(&err, "cannot remove");
}

/* signed by nobody */

static int self_signed(const struct world *world, struct certificate *certificate, struct err *err)
{
    return certificate_self_signed(world->store.directory, world->place, "n.example.com",
                                   SECONDS(NOW), certificate, err);
}

static void test_self_signed_is_made_once(void **state)
{
    struct world *world = *state;
    struct certificate certificate, again;
    struct err err;

    assert_int_equal(self_signed(world, &certificate, &err), 0);
    assert_true(certificate_has_names(&certificate, (const char *[]){"n.example.com", NULL}));
    assert_int_equal(mode_of(world, "kubelet.key"), S_IFREG | 0600);
    assert_int_equal(mode_of(world, "kubelet.crt"), S_IFREG | 0644);
    assert_int_equal(self_signed(world, &again, &err), 0);
    assert_string_equal(certificate.chain, again.chain);
    certificate_deinit(&certificate);
    certificate_deinit(&again);
}

/* The key is written first: what a crash leaves is a key without a certificate. */
static void test_self_signed_after_a_crash(void **state)
{
    struct world *world = *state;
    struct certificate certificate, again;
    struct err err;

    assert_int_equal(self_signed(world, &certificate, &err), 0);
    assert_int_equal(unlinkat(world->store.directory, "kubelet.crt", 0), 0);
    assert_int_equal(self_signed(world, &again, &err), 0);
    assert_string_equal(certificate.key.text, again.key.text);
    certificate_deinit(&certificate);
    certificate_deinit(&again);
}

static void test_self_signed_that_is_no_pair(void **state)
{
    _cleanup_(strbuf_deinit) struct strbuf chain = STRBUF_INIT, key = STRBUF_INIT;
    struct world *world = *state;
    struct certificate certificate;
    struct err err;

    make_pair(world, "somebody", &chain, &key);
    write_text(world->place, "kubelet.crt", &chain);
    assert_int_equal(self_signed(world, &certificate, &err), -ENOENT);
    assert_sentence(&err, "there is a kubelet.crt in it without its kubelet.key; remove it");
    assert_false(exists(world, "kubelet.key"));
    write_text(world->place, "kubelet.key", &chain);
    assert_int_equal(self_signed(world, &certificate, &err), -EINVAL);
    assert_sentence(&err, "/kubelet.key: there is no private key in it");
}

/* no key is left in memory */

enum {
    NEEDLE = 60,
    FIRST_LINE = sizeof("-----BEGIN EC PRIVATE KEY-----\n") - 1,
    REGION_MAX = 1 << 30, /* the sanitizer's own are larger */
};

/* The needle is kept inverted, so that it is not found itself. */
static size_t count_in(int memory, size_t start, size_t end, const unsigned char needle[NEEDLE])
{
    size_t found = 0, length = end - start;
    unsigned char *bytes = malloc(length);
    ssize_t got = pread(memory, bytes, length, (off_t)start);

    for (size_t i = 0; got > 0 && i + NEEDLE <= (size_t)got; i++) {
        size_t same = 0;

        while (same < NEEDLE && (bytes[i + same] ^ 0xff) == needle[same])
            same++;
        found += same == NEEDLE;
    }
    explicit_bzero(bytes, length);
    free(bytes);
    return found;
}

/* In all that the process may write but stacks, where what was read passes through. */
static size_t count_in_memory(const unsigned char needle[NEEDLE])
{
    _cleanup_(strbuf_deinit) struct strbuf maps = STRBUF_INIT;
    int memory = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
    size_t found = 0;

    assert_int_equal(file_read("/proc/self/maps", 10 << 20, &maps, NULL), 0);
    for (char *line = strtok(maps.text, "\n"); line; line = strtok(NULL, "\n")) {
        unsigned long start, end;
        char mode[5];

        if (sscanf(line, "%lx-%lx %4s", &start, &end, mode) == 3 && str_has_prefix(mode, "rw") &&
            end - start < REGION_MAX && !strstr(line, "[stack"))
            found += count_in(memory, start, end, needle);
    }
    close(memory);
    return found;
}

static void test_no_key_stays_in_memory(void **state)
{
    unsigned char needle[NEEDLE];
    struct world *world = *state;
    struct certificate certificate;
    struct err err;

    assert_int_equal(self_signed(world, &certificate, &err), 0);
    /* Of the first line of base64, which has the number that is secret. */
    for (size_t i = 0; i < NEEDLE; i++)
        needle[i] = (unsigned char)certificate.key.text[FIRST_LINE + i] ^ 0xff;
    assert_true(count_in_memory(needle) > 0);
    assert_int_equal(certificate_store_save(&world->store, &certificate, SECONDS(NOW), &err), 0);
    certificate_deinit(&certificate);
    assert_int_equal(certificate_store_load(&world->store, NULL, NULL, &certificate, &err), 0);
    certificate_deinit(&certificate);
    assert_int_equal(count_in_memory(needle), 0);
}

#define in_world(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_world(test_an_empty_directory),
        in_world(test_a_directory_is_made_and_cleaned),
        in_world(test_saved_and_loaded),
        in_world(test_a_file_has_the_chain_and_then_the_key),
        in_world(test_the_order_of_loading),
        in_world(test_links_of_the_kubelet),
        in_world(test_links_that_lead_out),
        in_world(test_what_is_broken_is_not_passed_over),
        in_world(test_a_file_in_place_of_the_link_is_kept),
        in_world(test_old_files_go),
        in_world(test_a_key_that_a_kubelet_left),
        in_world(test_self_signed_is_made_once),
        in_world(test_self_signed_after_a_crash),
        in_world(test_self_signed_that_is_no_pair),
        in_world(test_no_key_stays_in_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
