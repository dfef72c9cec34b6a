/* agent/checkpoint-files: what is on disk, whom it belongs to, and what becomes of broken files. */
#include "root-fixture.h"

#include "checkpoint.h"

#define PLACE "/" CHECKPOINT_DIRECTORY
#define NODE "{\"version\":1,\"heard\":\"2026-01-02T03:04:05Z\"}"
#define POD                                                                                        \
    "{\"version\":1,\"objects\":[{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{"           \
    "\"name\":\"web\",\"namespace\":\"a\",\"uid\":\"u1\"},\"spec\":{\"containers\":[{\"name\":"    \
    "\"c\",\"image\":\"i\"}]}}]}"

static int open_root(const struct root *root)
{
    int fd = open(root->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    assert_true(fd >= 0);
    return fd;
}

/* Files that are named with a NULL text stay. */
static int save(struct root *root, const char *const files[][2], size_t count)
{
    _cleanup_(fd_close_at) int fd = open_root(root);
    struct checkpoint_saving *saving = checkpoint_saving_new(fd);
    int r;

    for (size_t i = 0; i < count; i++) {
        struct strbuf text = STRBUF_INIT;

        checkpoint_saving_keep(saving, files[i][0]);
        if (!files[i][1])
            continue;
        strbuf_add(&text, files[i][1]);
        checkpoint_saving_write(saving, files[i][0], &text);
        assert_null(text.text);
    }
    r = checkpoint_save(saving);
    root->err = *checkpoint_saving_err(saving);
    checkpoint_saving_free(saving);
    return r;
}

static void save_good(struct root *root)
{
    static const char *const files[][2] = {{CHECKPOINT_NODE_FILE, NODE}, {"pod-u1.json", POD}};

    assert_int_equal(save(root, files, array_size(files)), 0);
}

static struct stat status_of(const struct root *root, const char *path)
{
    struct stat status = {0};
    char whole[256];

    snprintf(whole, sizeof(whole), "%s%s", root->path, path);
    if (lstat(whole, &status) < 0)
        status.st_mode = 0;
    return status;
}

static void change(const struct root *root, const char *path, mode_t mode)
{
    char whole[256];

    snprintf(whole, sizeof(whole), "%s%s", root->path, path);
    assert_int_equal(chmod(whole, mode), 0);
}

static int load(struct root *root, struct checkpoint_loaded **loaded)
{
    _cleanup_(fd_close_at) int fd = open_root(root);
    int r;

    *loaded = checkpoint_loaded_new(fd);
    r = checkpoint_load(*loaded);
    root->err = (*loaded)->err;
    return r;
}

static void assert_not_loaded(struct root *root, const char *sentence)
{
    struct checkpoint_loaded *loaded;

    assert_true(load(root, &loaded) < 0);
    if (!strstr(root->err.text, sentence))
        fail_msg("%s", root->err.text);
    checkpoint_loaded_free(loaded);
}

static void assert_pod_left_out(struct root *root, const char *sentence)
{
    struct checkpoint_loaded *loaded;

    assert_int_equal(load(root, &loaded), 0);
    assert_int_equal(loaded->pods.count, 0);
    assert_int_equal(loaded->problems.count, 1);
    assert_non_null(strstr(loaded->problems.items[0], "pod-u1.json"));
    assert_non_null(strstr(loaded->problems.items[0], "its pod is left out"));
    if (!strstr(loaded->problems.items[0], sentence))
        fail_msg("%s", loaded->problems.items[0]);
    checkpoint_loaded_free(loaded);
}

static void test_files_are_roots_alone(void **state)
{
    struct root *root = *state;
    struct checkpoint_loaded *loaded;

    save_good(root);
    assert_int_equal(status_of(root, "/nodeagent").st_mode, S_IFDIR | 0700);
    assert_int_equal(status_of(root, PLACE).st_mode, S_IFDIR | 0700);
    assert_int_equal(status_of(root, PLACE "/pod-u1.json").st_mode, S_IFREG | 0600);
    assert_int_equal(status_of(root, PLACE "/node.json").st_mode, S_IFREG | 0600);
    assert_int_equal(load(root, &loaded), 0);
    assert_int_equal(loaded->pods.count, 1);
    assert_int_equal(loaded->problems.count, 0);
    assert_true(loaded->node.heard > 0);
    checkpoint_loaded_free(loaded);
}

static void test_what_is_not_named_is_removed(void **state)
{
    static const char *const second[][2] = {{"node.json", NULL}, {"pod-u2.json", "x"}};
    struct root *root = *state;
    struct stat before;

    save_good(root);
    put_bytes(root, PLACE "/.nodeagent-tmp-left", "x", 1);
    before = status_of(root, PLACE "/node.json");
    assert_int_equal(save(root, second, array_size(second)), 0);
    assert_int_equal(status_of(root, PLACE "/node.json").st_ino, before.st_ino);
    assert_int_equal(status_of(root, PLACE "/pod-u1.json").st_mode, 0);
    assert_int_equal(status_of(root, PLACE "/.nodeagent-tmp-left").st_mode, 0);
    assert_int_equal(status_of(root, PLACE "/pod-u2.json").st_size, 1);
}

static void test_what_is_there_is_not_written(void **state)
{
    struct root *root = *state;
    struct stat before;

    save_good(root);
    before = status_of(root, PLACE "/pod-u1.json");
    save_good(root);
    assert_int_equal(status_of(root, PLACE "/pod-u1.json").st_ino, before.st_ino);
    change(root, PLACE "/pod-u1.json", 0644);
    save_good(root);
    assert_int_equal(status_of(root, PLACE "/pod-u1.json").st_mode, S_IFREG | 0600);
}

static void test_without_a_checkpoint(void **state)
{
    struct root *root = *state;

    assert_not_loaded(root, "");
    assert_int_equal(root->err.code, -ENOENT);
}

static void test_an_open_directory_is_of_no_use(void **state)
{
    struct root *root = *state;

    save_good(root);
    change(root, PLACE, 0755);
    assert_not_loaded(root, "has mode 0755");
    assert_true(save(root, NULL, 0) < 0);
    assert_non_null(strstr(root->err.text, "has mode 0755"));
}

static void test_a_link_is_no_directory(void **state)
{
    struct root *root = *state;
    char link[256];

    put_bytes(root, "/elsewhere/x", "x", 1);
    assert_int_equal(mkdir((snprintf(link, sizeof(link), "%s/nodeagent", root->path), link), 0700),
                     0);
    snprintf(link, sizeof(link), "%s" PLACE, root->path);
    assert_int_equal(symlink("../elsewhere", link), 0);
    assert_not_loaded(root, "symbolic link");
    assert_true(save(root, NULL, 0) < 0);
    assert_int_equal(status_of(root, "/elsewhere/x").st_size, 1);
}

static void test_a_pod_that_is_broken_is_left_out_alone(void **state)
{
    struct root *root = *state;
    char whole[256];

    save_good(root);
    put_bytes(root, PLACE "/pod-u1.json", POD, strlen(POD) / 2);
    assert_pod_left_out(root, "the JSON text ends too early");
    put_bytes(root, PLACE "/pod-u1.json", "", 0);
    assert_pod_left_out(root, "");
    put_bytes(root, PLACE "/pod-u1.json", NODE, strlen(NODE));
    assert_pod_left_out(root, "does not begin with the pod of its name");
    put_bytes(root, PLACE "/pod-u1.json", POD, strlen(POD));
    change(root, PLACE "/pod-u1.json", 0640);
    assert_pod_left_out(root, "has mode 0640");
    change(root, PLACE "/pod-u1.json", 0600);
    snprintf(whole, sizeof(whole), "%s" PLACE "/pod-u1.json", root->path);
    assert_int_equal(chown(whole, 12, (gid_t)-1), 0);
    assert_pod_left_out(root, "is user 12's");
}

static void test_without_the_nodes_file_nothing_is_known(void **state)
{
    static const char *const only_pod[][2] = {{"pod-u1.json", POD}};
    struct root *root = *state;

    assert_int_equal(save(root, only_pod, 1), 0);
    assert_not_loaded(root, "node.json");
    put_bytes(root, PLACE "/node.json", "{\"version\":1}", 13);
    assert_not_loaded(root, "does not say when the API server was heard of");
}

static void test_a_checkpoint_is_removed(void **state)
{
    struct root *root = *state;
    _cleanup_(fd_close_at) int fd = open_root(root);
    struct checkpoint_loaded *loaded = checkpoint_loaded_new(fd);

    save_good(root);
    assert_int_equal(checkpoint_remove(loaded), 0);
    assert_int_equal(status_of(root, PLACE).st_mode, 0);
    assert_int_equal(checkpoint_remove(loaded), 0);
    checkpoint_loaded_free(loaded);
}

#define root_test(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        root_test(test_files_are_roots_alone),
        root_test(test_what_is_not_named_is_removed),
        root_test(test_what_is_there_is_not_written),
        root_test(test_without_a_checkpoint),
        root_test(test_an_open_directory_is_of_no_use),
        root_test(test_a_link_is_no_directory),
        root_test(test_a_pod_that_is_broken_is_left_out_alone),
        root_test(test_without_the_nodes_file_nothing_is_known),
        root_test(test_a_checkpoint_is_removed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
