/* commands/setup-toml, setup-toml-edit */
#include "test.h"

#include "setup-toml.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define CRI "plugins", "io.containerd.grpc.v1.cri", "cni"

static const char *const conf_dir[] = {CRI, "conf_dir", NULL};

static void parse(struct toml *toml, struct arena *arena, const char *text)
{
    struct err err = {0};

    if (toml_parse(toml, arena, "x.toml", text, strlen(text), &err) < 0)
        fail_msg("%s", err.text);
}

/* reading */

/* All statements, a line each: kind, path, value. */
static char *listed(const struct toml *toml)
{
    static const char kinds[] = "TA=m";
    struct strbuf out = STRBUF_INIT;

    array_for_each (statement, toml->statements) {
        strbuf_printf(&out, "%c ", kinds[statement->kind]);
        toml_write_path(&out, (const char *const *)statement->path);
        if (statement->kind >= TOML_PAIR)
            strbuf_printf(&out, " %.*s", (int)(statement->value.end - statement->value.start),
                          toml->text + statement->value.start);
        strbuf_add_char(&out, '|');
    }
    return strbuf_take(&out);
}

static void test_statements(void **state)
{
    static const struct {
        const char *text, *statements;
    } cases[] = {
        {"", ""},
        {"\n\r\n \t\n# only this\n#", ""},
        {"version = 2", "= version 2|"},
        {"version=2 # why\nroot = '/x'\n", "= version 2|= root '/x'|"},
        {"[a]\nb = 1\r\n[ a . \"b.c\" ]\n'd e'.f = 2",
         "T a|= a.b 1|T a.\"b.c\"|= a.\"b.c\".\"d e\".f 2|"},
        {"[[a]]\nb = true\n[[ a ]] # again\n", "A a|= a.b true|A a|"},
        {"a = [1, [2, # two\n 3],\n]\nb = 1979-05-27T07:32:00Z",
         "= a [1, [2, # two\n 3],\n]|= b 1979-05-27T07:32:00Z|"},
        {"a = { b = 1, c.d = { e = '}' } }",
         "= a { b = 1, c.d = { e = '}' } }|m a.b 1|m a.c.d { e = '}' }|m a.c.d.e '}'|"},
        {"a = [{ b = 1 }, {}]", "= a [{ b = 1 }, {}]|"},
        {"a = \"\"\"\n[b]\nc = \\\"\"\"\" # d\n[e]", "= a \"\"\"\n[b]\nc = \\\"\"\"\"|T e|"},
        {"a = '''\n[b]\\'''''\n[e]", "= a '''\n[b]\\'''''|T e|"},
        {"\"a\\u00e4\\\"\" = +1.5e-3", "= \"a\u00e4\\\"\" +1.5e-3|"},
        {"-1_x = nan", "= -1_x nan|"},
    };

    for (size_t i = 0; i < array_size(cases); i++) {
        _cleanup_(arena_deinit) struct arena arena = ARENA_INIT_DOCUMENT;
        struct toml toml;
        char *list;

        parse(&toml, &arena, cases[i].text);
        list = listed(&toml);
        assert_string_equal(list, cases[i].statements);
        free(list);
    }
}

static void test_refused(void **state)
{
    static const struct {
        const char *text, *sentence;
    } cases[] = {
        {"a", "x.toml:1: \"=\" is expected after a name"},
        {"\n\na =", "x.toml:3: a value is expected here"},
        {"= 1", "x.toml:1: a name is expected here"},
        {"a. = 1", "x.toml:1: a name is expected here"},
        {"a = 1 b = 2", "x.toml:1: there is more in the line than one statement"},
        {"a = 1\rb = 2", "x.toml:1: there is more in the line than one statement"},
        {"[a\nb = 1", "x.toml:1: the name of a table does not end in \"]\""},
        {"[[a]\n", "x.toml:1: the name of a table does not end in \"]\""},
        {"[a] b", "x.toml:1: there is more in the line than one statement"},
        {"[]", "x.toml:1: a name is expected here"},
        {"a = \"b\n\"", "x.toml:1: a string does not end in its line"},
        {"a = 'b", "x.toml:1: a string does not end in its line"},
        {"\na = \"\"\"b\n\"\"", "x.toml:3: a string of several lines does not end"},
        {"'''a''' = 1", "x.toml:1: a name is a string of several lines"},
        {"a = \"\\x\"",
         "x.toml:1: a string has an escape that is none of \\b \\t \\n \\f \\r \\\" \\\\ \\u \\U"},
        {"a = \"\\",
         "x.toml:1: a string has an escape that is none of \\b \\t \\n \\f \\r \\\" \\\\ \\u \\U"},
        {"a = \"\\u12g4\"", "x.toml:1: a \\u in a string needs 4 hexadecimal digits, a \\U 8"},
        {"a = \"\\ud800\"", "x.toml:1: a \\u in a string names no character"},
        {"a = \"\\u0000\"", "x.toml:1: a \\u in a string names no character"},
        {"a = \"\x01\"", "x.toml:1: a string has a control character"},
        {"a = [1 2]", "x.toml:1: \",\" or \"]\" is expected in an array"},
        {"a = [", "x.toml:1: a value is expected here"},
        {"a = {b = 1", "x.toml:1: \",\" or \"}\" is expected in an inline table"},
        {"a = {b = 1,\nc = 2}", "x.toml:1: a name is expected here"},
        {"a = \"\xff\"", "x.toml: is not a text in UTF-8"},
        {"\xef\xbb\xbf"
         "a = 1",
         "x.toml:1: a name is expected here"},
        {"a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a = 1", "x.toml:1: a name has more than 16 parts"},
        {"a = [[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]",
         "x.toml:1: values are nested more than 16 deep"},
    };

    for (size_t i = 0; i < array_size(cases); i++) {
        _cleanup_(arena_deinit) struct arena arena = ARENA_INIT_DOCUMENT;
        struct toml toml;
        struct err err = {0};

        assert_int_equal(
            toml_parse(&toml, &arena, "x.toml", cases[i].text, strlen(cases[i].text), &err),
            -EINVAL);
        assert_string_equal(err.text, cases[i].sentence);
    }
}

static void test_limits(void **state)
{
    _cleanup_(arena_deinit) struct arena arena = ARENA_INIT_DOCUMENT;
    _cleanup_(strbuf_deinit) struct strbuf text = STRBUF_INIT;
    struct toml toml;
    struct err err = {0};

    for (size_t i = 0; i < TOML_STATEMENTS_MAX; i++)
        strbuf_add(&text, "a=1\n");
    assert_int_equal(toml_parse(&toml, &arena, "x", text.text, text.length, &err), 0);
    assert_int_equal(toml.statements.count, TOML_STATEMENTS_MAX);
    strbuf_add(&text, "a=1\n");
    assert_int_equal(toml_parse(&toml, &arena, "x", text.text, text.length, &err), -EINVAL);
    assert_string_equal(err.text, "x:16385: there are more than 16384 statements");
    assert_int_equal(toml_parse(&toml, &arena, "x", text.text, TOML_BYTES_MAX + 1, &err), -EFBIG);
    assert_int_equal(toml_parse(&toml, &arena, "x", "a\0", 2, &err), -EINVAL);
}

static void test_values(void **state)
{
    static const char *const a[] = {"t", "a", NULL}, *const b[] = {"t", "b", NULL},
                             *const c[] = {"t", "c", NULL}, *const none[] = {"t", "x", NULL},
                             *const table[] = {"t", NULL};
    _cleanup_(arena_deinit) struct arena arena = ARENA_INIT_DOCUMENT;
    struct toml_strings strings;
    struct toml toml;

    parse(&toml, &arena,
          "[t]\na = \"x\\ty\\\\\"\nb = [ 'p', # one\n \"q\\n\",\n]\nc = ['p', 1]\nd = ['''p''']\n"
          "e = []\nf = \"\"\"g\"\"\"\n");
    assert_string_equal(toml_string(&toml, toml_find(&toml, a), &arena), "x\ty\\");
    assert_null(toml_string(&toml, toml_find(&toml, b), &arena));
    assert_null(toml_find(&toml, none));
    assert_null(toml_find(&toml, table));
    assert_int_equal(toml_line(&toml, toml_find(&toml, c)->key.start), 6);
    assert_int_equal(toml_strings(&toml, toml_find(&toml, b), &arena, &strings), 0);
    assert_int_equal(strings.items.count, 2);
    assert_string_equal(strings.items.items[0], "p");
    assert_string_equal(strings.items.items[1], "q\n");
    assert_int_equal(toml_strings(&toml, toml_find(&toml, a), &arena, &strings), -EINVAL);
    assert_int_equal(toml_strings(&toml, toml_find(&toml, c), &arena, &strings), -EINVAL);
    assert_int_equal(toml_strings(&toml, &toml.statements.items[4], &arena, &strings), -EINVAL);
    assert_int_equal(toml_strings(&toml, &toml.statements.items[5], &arena, &strings), 0);
    assert_int_equal(strings.items.count, 0);
    assert_null(toml_string(&toml, &toml.statements.items[6], &arena));
}

/* changing */

static char *set(const char *text, const char *value, struct err *err)
{
    _cleanup_(arena_deinit) struct arena arena = ARENA_INIT_DOCUMENT;
    struct strbuf out = STRBUF_INIT;
    struct toml toml;

    *err = (struct err){0};
    parse(&toml, &arena, text);
    if (toml_set(&toml, conf_dir, value, &out, err) < 0) {
        assert_int_equal(out.length, 0);
        return NULL;
    }
    return strbuf_take(&out);
}

#define TABLE "[plugins.\"io.containerd.grpc.v1.cri\".cni]"
#define TABLE_SINGLE "[ plugins . 'io.containerd.grpc.v1.cri' . cni ]"

static void test_set(void **state)
{
    static const struct {
        const char *before, *after;
    } cases[] = {
        /* nothing of it is there */
        {"", TABLE "\n  conf_dir = \"/n\"\n"},
        {"version = 2\n", "version = 2\n\n" TABLE "\n  conf_dir = \"/n\"\n"},
        {"version = 2", "version = 2\n\n" TABLE "\n  conf_dir = \"/n\"\n"},
        {"version = 2\r\n", "version = 2\r\n\r\n" TABLE "\r\n  conf_dir = \"/n\"\r\n"},
        {"[plugins.\"io.containerd.grpc.v1.cri\"]\n",
         "[plugins.\"io.containerd.grpc.v1.cri\"]\n\n" TABLE "\n  conf_dir = \"/n\"\n"},
        /* the table is */
        {TABLE "\n", TABLE "\n  conf_dir = \"/n\"\n"},
        {TABLE, TABLE "\n  conf_dir = \"/n\""},
        {"  " TABLE_SINGLE " # networks\r\n\tbin_dir = '/b'\r\n",
         "  " TABLE_SINGLE " # networks\r\n    conf_dir = \"/n\"\r\n\tbin_dir = '/b'\r\n"},
        {"\t" TABLE "\n[other]\nconf_dir = 'x'\n",
         "\t" TABLE "\n\t  conf_dir = \"/n\"\n[other]\nconf_dir = 'x'\n"},
        /* the value is */
        {TABLE "\nconf_dir='/o'#c\n", TABLE "\nconf_dir=\"/n\"#c\n"},
        {TABLE "\n  \"conf_dir\" = \"/o\"", TABLE "\n  \"conf_dir\" = \"/n\""},
        {TABLE "\n  conf_dir = \"\"\"/\no\"\"\"\nx = 1\n", TABLE "\n  conf_dir = \"/n\"\nx = 1\n"},
        {TABLE "\n  conf_dir = '/n'\n", TABLE "\n  conf_dir = '/n'\n"},
        {"[plugins]\n\"io.containerd.grpc.v1.cri\".cni.conf_dir = '/o'\n",
         "[plugins]\n\"io.containerd.grpc.v1.cri\".cni.conf_dir = \"/n\"\n"},
        {"[plugins.\"io.containerd.grpc.v1.cri\"]\ncni = { bin_dir = '/b', conf_dir = '/o' }\n",
         "[plugins.\"io.containerd.grpc.v1.cri\"]\ncni = { bin_dir = '/b', conf_dir = \"/n\" }\n"},
        /* the table is by names with dots */
        {"[plugins.\"io.containerd.grpc.v1.cri\"]\n\tcni.bin_dir = '/b' # b\n",
         "[plugins.\"io.containerd.grpc.v1.cri\"]\n\tcni.bin_dir = '/b' # b\n"
         "\tcni.conf_dir = \"/n\"\n"},
        {"plugins.'io.containerd.grpc.v1.cri'.cni . max = 1",
         "plugins.'io.containerd.grpc.v1.cri'.cni . max = 1\n"
         "plugins.'io.containerd.grpc.v1.cri'.cni . conf_dir = \"/n\""},
        /* not the table, though it looks like it */
        {"# " TABLE "\n# conf_dir = '/o'\na = '''\n" TABLE "\n'''\n",
         "# " TABLE "\n# conf_dir = '/o'\na = '''\n" TABLE "\n'''\n\n" TABLE
         "\n  conf_dir = \"/n\"\n"},
        {"[plugins.cri.cni]\nconf_dir = '/o'\n",
         "[plugins.cri.cni]\nconf_dir = '/o'\n\n" TABLE "\n  conf_dir = \"/n\"\n"},
    };

    for (size_t i = 0; i < array_size(cases); i++) {
        struct err err;
        char *once = set(cases[i].before, "/n", &err), *twice;

        assert_non_null(once);
        assert_string_equal(once, cases[i].after);
        twice = set(once, "/n", &err);
        assert_string_equal(twice, once);
        free(once);
        free(twice);
    }
}

static void test_quoting(void **state)
{
    struct err err;
    char *text = set("", "/a \"b\"\\\n\x7f", &err);

    assert_string_equal(text, TABLE "\n  conf_dir = \"/a \\\"b\\\"\\\\\\u000A\\u007F\"\n");
    free(text);
}

#define NAME "plugins.\"io.containerd.grpc.v1.cri\".cni.conf_dir cannot be changed here: "

static void test_not_set(void **state)
{
    static const struct {
        const char *text, *sentence;
    } cases[] = {
        {TABLE "\nconf_dir = 1\n", "x.toml:2: " NAME "its value is not a string"},
        {TABLE "\nconf_dir = ['/o']\n", "x.toml:2: " NAME "its value is not a string"},
        {TABLE "\nconf_dir = '/o'\nconf_dir = '/p'\n", "x.toml:3: " NAME "it stands twice"},
        {"\nplugins = {}\n",
         "x.toml:2: " NAME "what it belongs to is one value; write that as a table, [...]"},
        {"[plugins.'io.containerd.grpc.v1.cri']\ncni = { bin_dir = '/b' }\n",
         "x.toml:2: " NAME "what it belongs to is one value; write that as a table, [...]"},
        {"[[plugins]]\n", "x.toml:1: " NAME "it would be in an array of tables"},
        {"[plugins.'io.containerd.grpc.v1.cri'.cni.conf_dir]\n", "x.toml:1: " NAME "it is a table"},
        {TABLE "\nconf_dir.x = 1\n", "x.toml:2: " NAME "it is a table"},
    };

    for (size_t i = 0; i < array_size(cases); i++) {
        struct err err;

        assert_null(set(cases[i].text, "/n", &err));
        assert_int_equal(err.code, -ENOTSUP);
        assert_string_equal(err.text, cases[i].sentence);
    }
}

static void test_unset(void **state)
{
    static const struct {
        const char *before, *after;
    } cases[] = {
        {TABLE "\n  conf_dir = '/o' # it\nx = 1\n", TABLE "\nx = 1\n"},
        {TABLE "\r\nconf_dir = '''\r\n'''\r\nx = 1", TABLE "\r\nx = 1"},
        {TABLE "\nx = 1\n", TABLE "\nx = 1\n"},
        {"", ""},
        {"[plugins.'io.containerd.grpc.v1.cri']\ncni = { conf_dir = '/b' }\n", NULL},
        {TABLE "\nconf_dir = 1\n", NULL},
    };

    for (size_t i = 0; i < array_size(cases); i++) {
        _cleanup_(arena_deinit) struct arena arena = ARENA_INIT_DOCUMENT;
        _cleanup_(strbuf_deinit) struct strbuf out = STRBUF_INIT;
        struct err err = {0};
        struct toml toml;

        parse(&toml, &arena, cases[i].before);
        assert_int_equal(toml_unset(&toml, conf_dir, &out, &err), cases[i].after ? 0 : -ENOTSUP);
        if (cases[i].after)
            assert_string_equal(out.text, cases[i].after);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_statements), cmocka_unit_test(test_refused),
        cmocka_unit_test(test_limits),     cmocka_unit_test(test_values),
        cmocka_unit_test(test_set),        cmocka_unit_test(test_quoting),
        cmocka_unit_test(test_not_set),    cmocka_unit_test(test_unset),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
