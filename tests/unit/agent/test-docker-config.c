/* agent/docker-config: docker's files of credentials, and which of them an image gets. */
#include "test.h"

#include "docker-config.h"
#include "nodeagent/base/mem.h"
#include "nodeagent/base/str.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
    SEVERAL = 300, /* more than are tried */
};

static struct docker_config *parse(const char *text)
{
    struct err err = {0};
    struct docker_config *config = docker_config_parse(text, strlen(text), &err);

    if (!config)
        fail_msg("%s: %s", text, err.text);
    assert_int_equal(err.code, 0);
    return config;
}

/* "user:password user:password", in the order of trying. */
static char *matches(const struct docker_config *config, const char *image)
{
    struct arena arena = ARENA_INIT_DOCUMENT;
    struct docker_credentials credentials = docker_config_match(config, image, &arena);
    struct strbuf text = STRBUF_INIT;

    array_for_each (item, credentials)
        strbuf_printf(&text, "%s%s:%s", text.length ? " " : "", item->user, item->password);
    arena_deinit(&arena);
    return strbuf_take(&text);
}

static void assert_match(const char *config, const char *image, const char *expected)
{
    struct docker_config *parsed = parse(config);
    char *found = matches(parsed, image);

    assert_string_equal(found, expected);
    free(found);
    docker_config_free(parsed);
}

/* Does a lone key fit the image? */
static void assert_key(const char *key, const char *image, bool fits)
{
    char *config =
        mem_printf("{\"auths\": {\"%s\": {\"username\": \"u\", \"password\": \"p\"}}}", key);
    struct docker_config *parsed = parse(config);
    char *found = matches(parsed, image);

    if (strcmp(found, fits ? "u:p" : "") != 0)
        fail_msg("%s and %s: \"%s\"", key, image, found);
    free(found);
    docker_config_free(parsed);
    free(config);
}

static void assert_refused(const char *text, const char *sentence)
{
    struct err err = {0};

    assert_null(docker_config_parse(text, strlen(text), &err));
    assert_int_not_equal(err.code, 0);
    if (!strstr(err.text, sentence))
        fail_msg("%s: %s", text, err.text);
    assert_null(docker_config_parse(text, strlen(text), NULL));
}

/* entries */

static void test_both_forms(void **state)
{
    assert_match("{\"auths\": {\"r.io\": {\"username\": \"u\", \"password\": \"p\"}},"
                 " \"credsStore\": \"x\"}",
                 "r.io/app", "u:p");
    assert_match("{\"r.io\": {\"username\": \"u\", \"password\": \"p\", \"email\": \"e\"}}",
                 "r.io/app", "u:p");
}

static void test_nothing_in_it(void **state)
{
    static const char *const texts[] = {"{}",
                                        "null",
                                        " {\"auths\": null}",
                                        "{\"auths\": {}}",
                                        "{\"credsStore\": \"desktop\"}",
                                        "{\"credsStore\": \"desktop\", \"r.io\": {}}",
                                        "{\"HttpHeaders\": {\"a\": \"b\"}}"};

    for (size_t i = 0; i < array_size(texts); i++)
        assert_match(texts[i], "r.io/app", "");
}

static void test_entries_without_credentials(void **state)
{
    assert_match("{\"auths\": {\"r.io\": {}}}", "r.io/app", ":");
    assert_match("{\"auths\": {\"r.io\": null}}", "r.io/app", ":");
    assert_match("{\"auths\": {\"r.io\": {\"username\": null, \"auth\": \"\"}}}", "r.io/app", ":");
}

static void test_auth_overrides(void **state)
{
    static const struct {
        const char *auth;
        const char *expected;
    } cases[] = {
        {"dTpw", "u:p"},
        {"dXNlcjpwYXNz", "user:pass"},
        {"dXNlcjpw", "user:p"},
        {"dXNlcjpwYQ==", "user:pa"},
        {"dXNlcjpwYQ", "user:pa"},
        {"dXNlcjpwYXM=", "user:pas"},
        {"dXNlcjpwYXM", "user:pas"},
        {"dXNl\\ncjpwYXM=\\n", "user:pas"},
        {"dXNl\\r\\ncjpwYXM", "user:pas"},
        {"dTpwOnc=", "u:p:w"},
        {"Og==", ":"},
        {"OnA=", ":p"},
    };

    for (size_t i = 0; i < array_size(cases); i++) {
        char *config = mem_printf("{\"auths\": {\"r.io\": {\"username\": \"x\", \"password\": "
                                  "\"y\", \"auth\": \"%s\"}}}",
                                  cases[i].auth);

        assert_match(config, "r.io/app", cases[i].expected);
        free(config);
    }
}

static void test_the_later_of_two_counts(void **state)
{
    assert_match("{\"auths\": {\"r.io\": {\"username\": \"old\"}, \"r.io\": {\"username\": "
                 "\"new\"}, \"r.io\": {\"username\": \"newest\"}}}",
                 "r.io/app", "newest:");
    assert_match("{\"auths\": {\"https://r.io\": {\"username\": \"first\"}, \"r.io\": "
                 "{\"username\": \"second\"}}}",
                 "r.io/app", "first: second:");
}

static void test_what_is_refused(void **state)
{
    assert_refused("", "1:1: ");
    assert_refused("{", "");
    assert_refused("[]", "1:1: it must be an object");
    assert_refused("\"x\"", "it must be an object");
    assert_refused("{\"auths\": []}", "1:11: auths must be an object");
    assert_refused("{\"auths\":\n {\"r.io\": 1}}", "2:11: the credentials of a registry");
    assert_refused("{\"auths\": {\"r.io\": {\"username\": 1}}}", "must be strings");
    assert_refused("{\"auths\": {\"r.io\": {\"password\": {}}}}", "must be strings");
    assert_refused("{\"auths\": {\"r.io\": {\"auth\": []}}}", "must be strings");
    assert_refused("{\"auths\": {\"r.io\": {\"password\": \"a\\u0000b\"}}}", "without NUL");
    assert_refused("{\"r.io\": {\"auth\": \"dTpw=\"}}", "auth must be");
    assert_refused("{\"r.io\": {\"auth\": \"dTpwd\"}}", "auth must be");
    assert_refused("{\"r.io\": {\"auth\": \"?\"}}", "auth must be");
    assert_refused("{\"r.io\": {\"auth\": \"dXNlcg==\"}}", "auth must be"); /* user */
    assert_refused("{\"r.io\": {\"auth\": \"dTpwAHc=\"}}", "auth must be"); /* u:p NUL w */
    assert_refused("{\"r.io\": {\"auth\": \"/zpw\"}}", "auth must be");     /* 0xff:p */
    assert_null(docker_config_free(NULL));
}

static void test_sentences_tell_no_secret(void **state)
{
    static const char text[] = "{\"https://me:hidden1@r.io\": {\"password\": \"hidden2\", "
                               "\"auth\": \"hidden3\"}, \"x\": hidden4}";
    struct err err = {0};

    for (size_t length = 0; length < sizeof(text); length++) {
        assert_null(docker_config_parse(text, length, &err));
        assert_null(strstr(err.text, "hidden"));
    }
}

/* keys */

static void test_keys_are_normalised(void **state)
{
    static const char *const keys[] = {"r.io",
                                       "r.io/",
                                       "https://r.io",
                                       "http://r.io/",
                                       "https://r.io/v1/",
                                       "r.io/v2/",
                                       "r.io/v2/team",
                                       "r.io/v1/team/app",
                                       "https://me:pw@r.io/team",
                                       "r.io/team?x=/1",
                                       "r.io/team#x?y",
                                       "r.io#/x"};
    static const char *const others[] = {
        "",         "/",         "https://", "ftp://r.io", "r.io/v1",         "r.io/v3/",    "R.io",
        "r.io:443", "r.io/Team", "team/app", "https:r.io", "r.io/v1/v1/team", "a\\u0000r.io"};

    for (size_t i = 0; i < array_size(keys); i++)
        assert_key(keys[i], "r.io/team/app:1", true);
    for (size_t i = 0; i < array_size(others); i++)
        assert_key(others[i], "r.io/team/app:1", false);
}

static void test_hosts_match_by_label(void **state)
{
    static const struct {
        const char *key;
        const char *image;
        bool fits;
    } cases[] = {
        {"*.r.io", "a.r.io/app", true},
        {"*.r.io", "r.io/app", false},
        {"*.r.io", "a.b.r.io/app", false},
        {"*.*.r.io", "a.b.r.io/app", true},
        {"*", "r.io/app", false},
        {"*", "localhost/app", true},
        {"*.io", "r.io/app", true},
        {"r.*", "r.io/app", true},
        {"r.io.*", "r.io/app", false},
        {"eu-*.r.io", "eu-1.r.io/app", true},
        {"eu-*.r.io", "us-1.r.io/app", false},
        {"eu-?.r.io/team", "eu-1.r.io/team/app", true},
        {"eu-[12].r.io", "eu-2.r.io/app", true},
        {"eu-[12].r.io", "eu-3.r.io/app", false},
        {"eu-[12.r.io", "eu-1.r.io/app", false},
        {"r.io", "q.io/app", false},
        {"r.io", "xr.io/app", false},
        {"r.io", "r.io.evil.com/app", false},
        {".r.io", "r.io/app", false},
    };

    for (size_t i = 0; i < array_size(cases); i++)
        assert_key(cases[i].key, cases[i].image, cases[i].fits);
}

static void test_ports_are_equal(void **state)
{
    static const struct {
        const char *key;
        const char *image;
        bool fits;
    } cases[] = {
        {"r.io:5000", "r.io:5000/app", true},
        {"*.io:5000", "r.io:5000/app", true},
        {"r.io:5000", "r.io/app", false},
        {"r.io", "r.io:5000/app", false},
        {"r.io:*", "r.io:5000/app", false},
        {"r.io:05000", "r.io:5000/app", false},
        {"r.io:", "r.io/app", true},
        {"https://localhost:5000/v2/", "localhost:5000/app", true},
        {"[::1]:5000", "[::1]:5000/app", true},
        {"[::2]:5000", "[::1]:5000/app", false},
        {":5000", "r.io:5000/app", false},
    };

    for (size_t i = 0; i < array_size(cases); i++)
        assert_key(cases[i].key, cases[i].image, cases[i].fits);
}

static void test_paths_are_prefixes(void **state)
{
    assert_key("r.io/foo", "r.io/foobar", true);
    assert_key("r.io/foo",
               "r.io/foo/bar@sha256:"
               "0123456789012345678901234567890123456789012345678901234567890123",
               true);
    assert_key("r.io/foo/", "r.io/foobar", false);
    assert_key("r.io/foo/bar", "r.io/foo", false);
    assert_key("r.io/*", "r.io/foo", false);
}

static void test_order(void **state)
{
    static const char config[] =
        "{\"auths\": {\"*.io\": {\"username\": \"1\"}, \"r.io\": {\"username\": \"2\"},"
        "\"r.io/team/app\": {\"username\": \"3\"}, \"r.*\": {\"username\": \"4\"},"
        "\"r.io/team\": {\"username\": \"5\"}, \"q.io\": {\"username\": \"6\"}}}";

    assert_match(config, "r.io/team/app", "3: 5: 2: 4: 1:");
    assert_match(config, "r.io/other", "2: 4: 1:");
}

static void test_the_hub(void **state)
{
    static const char hub[] = "{\"auths\": {\"https://index.docker.io/v1/\": {\"username\": "
                              "\"hub\"}, \"r.io\": {\"username\": \"r\"}}}",
                      both[] = "{\"auths\": {\"index.docker.io\": {\"username\": \"index\"}, "
                               "\"docker.io\": {\"username\": \"docker\"}}}";

    assert_match(hub, "busybox", "hub:");
    assert_match(hub, "team/app:1", "hub:");
    assert_match(hub, "docker.io/library/busybox", "hub:");
    assert_match(hub, "index.docker.io/busybox", "hub:");
    assert_match(hub, "localhost/busybox", "");
    assert_match(hub, "docker.io:443/busybox", "");
    assert_match(hub, "r.io/busybox", "r:");
    assert_match(both, "busybox", "docker:");
    assert_match("{\"docker.io/library\": {}}", "busybox", ":");
    assert_match("{\"docker.io/library\": {}}", "index.docker.io/busybox", ":");
    assert_match("{\"docker.io/library\": {}}", "team/busybox", "");
    assert_match("{\"r.io/library\": {}}", "r.io/busybox", "");
}

static void test_names_that_are_none(void **state)
{
    assert_match("{\"*\": {}, \"*.*\": {}, \"index.docker.io\": {}}", "", "");
    assert_match("{\"*\": {}, \"*.*\": {}, \"index.docker.io\": {}}", "UPPER", "");
    assert_match("{\"*\": {}, \"*.*\": {}, \"index.docker.io\": {}}", "a b", "");
}

/* limits */

static void test_what_is_too_long(void **state)
{
    struct strbuf key = STRBUF_INIT, image = STRBUF_INIT;

    for (int i = 0; i < 128; i++)
        strbuf_add(&key, "a.");
    strbuf_add(&key, "io");
    strbuf_printf(&image, "%s/app", key.text);
    assert_key(key.text, image.text, false);
    assert_key(key.text + 4, image.text + 4, true);
    while (key.length < 3000)
        strbuf_add(&key, "/v1/");
    assert_key(key.text, image.text + 4, false);
    strbuf_deinit(&key);
    strbuf_deinit(&image);
}

static void test_the_number_of_attempts(void **state)
{
    struct strbuf text = STRBUF_INIT;
    struct arena arena = ARENA_INIT_DOCUMENT;
    struct docker_config *config;

    strbuf_add(&text, "{\"r.io\": {}");
    for (int i = 0; i < SEVERAL; i++)
        strbuf_printf(&text, ", \"https://%d@r.io\": {\"username\": \"%d\"}", i, i);
    strbuf_add(&text, "}");
    config = parse(text.text);
    assert_int_equal(docker_config_match(config, "r.io/app", &arena).count, 100);
    docker_config_free(config);
    arena_deinit(&arena);
    strbuf_deinit(&text);
}

/* Globs that make naive matchers try for ever. */
static void test_costly_globs(void **state)
{
    struct strbuf key = STRBUF_INIT, image = STRBUF_INIT;
    clock_t began = clock();

    for (int i = 0; i < 80; i++)
        strbuf_add(&key, "*a");
    strbuf_add(&key, "b.io");
    for (int i = 0; i < 240; i++)
        strbuf_add(&image, "a");
    strbuf_add(&image, ".io/app");
    assert_key(key.text, image.text, false);
    assert_true(clock() - began < CLOCKS_PER_SEC);
    strbuf_deinit(&key);
    strbuf_deinit(&image);
}

static void test_noise(void **state)
{
    static const char *const words[] = {
        "{", "}",    "\"auths\":", "\"r.io\":", "\"auth\":", "\"\"", ",",
        "[", "null", "\"dTpw\"",   "1",         "\"*\":",    "\\",   "\xff"};
    unsigned seed = 1;

    for (int round = 0; round < 5000; round++) {
        struct strbuf text = STRBUF_INIT;
        struct docker_config *config;
        int count = rand_r(&seed) % 12;

        strbuf_add(&text, "{");
        for (int i = 0; i < count; i++)
            strbuf_add(&text, words[(size_t)rand_r(&seed) % array_size(words)]);
        config = docker_config_parse(text.text, text.length, NULL);
        if (config)
            free(matches(config, "r.io/app"));
        docker_config_free(config);
        strbuf_deinit(&text);
    }
}

/* files: below a root of the test's own, as two of the places are absolute */

struct world {
    int old_root;
    char directory[64];
};

static int begin(void **state)
{
    static struct world world;

    strcpy(world.directory, "/tmp/test-docker-config-XXXXXX");
    world.old_root = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (world.old_root < 0 || !mkdtemp(world.directory) || chroot(world.directory) < 0 ||
        chdir("/") < 0 || mkdir("/root", 0755) < 0 || mkdir("/work", 0755) < 0 ||
        mkdir("/home", 0755) < 0 || mkdir("/home/.docker", 0755) < 0 ||
        mkdir("/.docker", 0755) < 0 || chdir("/work") < 0)
        return -1;
    *state = &world;
    return 0;
}

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *at)
{
    return remove(path);
}

static int end(void **state)
{
    struct world *world = *state;
    int r = fchdir(world->old_root) < 0 || chroot(".") < 0 ||
            nftw(world->directory, remove_one, 8, FTW_DEPTH | FTW_PHYS) < 0;

    close(world->old_root);
    return -r;
}

static void write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    fputs(text, file);
    assert_int_equal(fclose(file), 0);
}

static void assert_loaded(const char *expected, const char *sentence)
{
    struct err err = {.code = -EIO};
    struct docker_config *config = docker_config_load("/root", "/home", &err);
    char *found = config ? matches(config, "r.io/app") : mem_strdup("none");

    assert_string_equal(found, expected);
    if (sentence)
        assert_non_null(strstr(err.text, sentence));
    assert_int_equal(err.code == 0, sentence == NULL);
    free(found);
    docker_config_free(config);
}

static void test_the_first_file_counts(void **state)
{
    static const struct {
        const char *path;
        bool json;
    } files[] = {{"/.dockercfg", false},         {"/home/.dockercfg", false},
                 {"/work/.dockercfg", false},    {"/root/.dockercfg", false},
                 {"/.docker/config.json", true}, {"/home/.docker/config.json", true},
                 {"/work/config.json", true},    {"/root/config.json", true}};

    assert_loaded("none", NULL);
    for (size_t i = 0; i < array_size(files); i++) {
        char expected[8], *text;

        text = mem_printf(files[i].json ? "{\"auths\": {\"r.io\": {\"username\": \"%zu\"}}}"
                                        : "{\"r.io\": {\"username\": \"%zu\"}}",
                          i);
        snprintf(expected, sizeof(expected), "%zu:", i);
        write_file(files[i].path, text);
        assert_loaded(expected, NULL);
        free(text);
    }
}

static void test_broken_files_are_passed_over(void **state)
{
    write_file("/work/.dockercfg", "{\"r.io\": {\"username\": \"u\"}}");
    write_file("/root/config.json", "{\n\"auths\": 1}");
    assert_loaded("u:", "/root/config.json: 2:10: auths must be an object");
    write_file("/root/.dockercfg", "");
    assert_loaded("u:", "/root/config.json: 2:10: ");
    unlink("/root/config.json");
    assert_loaded("u:", "/root/.dockercfg: 1:1: ");
    mkdir("/root/config.json", 0755);
    assert_loaded("u:", "/root/config.json");

    /* In its own file each form is told by the name. */
    write_file("/work/.dockercfg", "{\"credsStore\": \"x\"}");
    assert_loaded("none", "");
    rmdir("/root/config.json");
    write_file("/root/config.json", "{\"r.io\": {\"username\": \"u\"}}");
    assert_loaded("", NULL);
}

static void test_no_home_and_no_error_wanted(void **state)
{
    struct docker_config *config;

    write_file("/root/config.json", "{");
    write_file("/home/.dockercfg", "{}");
    assert_null(docker_config_load("/root", NULL, NULL));
    assert_null(docker_config_load("/root", "", NULL));
    assert_null(docker_config_load("/root/config.json", "", NULL));
    config = docker_config_load("/root", "/home", NULL);
    assert_non_null(config);
    docker_config_free(config);
}

#define test_with_files(name) cmocka_unit_test_setup_teardown(name, begin, end)

static void test_lists_of_credentials(void **state)
{
    struct arena arena = ARENA_INIT_DOCUMENT;
    struct docker_credential items[] = {{"a", "1"}, {"b", "2"}};
    struct docker_credentials both = {items, 2}, first = {items, 1}, second = {items + 1, 1},
                              none = {0}, copy, joined;

    copy = docker_credentials_copy(&both, &arena);
    assert_true(docker_credentials_equal(&copy, &both));
    assert_true(copy.items[0].user != items[0].user);
    joined = docker_credentials_join(&first, &second, &arena);
    assert_true(docker_credentials_equal(&joined, &both));
    joined = docker_credentials_join(&second, &first, &arena);
    assert_false(docker_credentials_equal(&joined, &both));
    assert_false(docker_credentials_equal(&first, &both));
    assert_false(docker_credentials_equal(&first, &second));
    copy = docker_credentials_copy(&none, &arena);
    assert_true(docker_credentials_equal(&copy, &none));
    arena_deinit(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_both_forms),
        cmocka_unit_test(test_nothing_in_it),
        cmocka_unit_test(test_entries_without_credentials),
        cmocka_unit_test(test_auth_overrides),
        cmocka_unit_test(test_the_later_of_two_counts),
        cmocka_unit_test(test_what_is_refused),
        cmocka_unit_test(test_sentences_tell_no_secret),
        cmocka_unit_test(test_keys_are_normalised),
        cmocka_unit_test(test_hosts_match_by_label),
        cmocka_unit_test(test_ports_are_equal),
        cmocka_unit_test(test_paths_are_prefixes),
        cmocka_unit_test(test_order),
        cmocka_unit_test(test_the_hub),
        cmocka_unit_test(test_names_that_are_none),
        cmocka_unit_test(test_what_is_too_long),
        cmocka_unit_test(test_the_number_of_attempts),
        cmocka_unit_test(test_costly_globs),
        cmocka_unit_test(test_noise),
        test_with_files(test_the_first_file_counts),
        test_with_files(test_broken_files_are_passed_over),
        test_with_files(test_no_home_and_no_error_wanted),
        cmocka_unit_test(test_lists_of_credentials),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
