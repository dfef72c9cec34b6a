/* static/leftovers: which names are no manifests. */
#include "test.h"

#include "leftovers.h"
#include "nodeagent/base/macros.h"

static void test_leftovers(void **state)
{
    static const char *const names[] = {
        ".web.yaml",      ".web.yaml.swp", "..data",          ".#web.yaml",
        ".nfs0001",       "web.yaml~",     "web.yaml.bak",    "web.yaml.old",
        "web.yaml.orig",  "web.yaml.rej",  "web.yaml.save",   "web.yaml.tmp",
        "web.yaml.temp",  "web.yaml.part", "web.yaml.swp",    "web.yaml.swo",
        "web.yaml.swx",   "4913",          "#web.yaml#",      "sedAb3dE9",
        "web.dpkg-old",   "web.dpkg-new",  "web.dpkg-dist",   "web.yaml.rpmnew",
        "x.rpmsave",      "x.rpmorig",     "web.ucf-old",     "web.yaml___jb_tmp___",
        "a.yaml.partial", "web.yaml.bak~", "web.yaml.ucf-new"};

    for (size_t i = 0; i < array_size(names); i++)
        if (!leftover_is(names[i]))
            fail_msg("%s is a leftover", names[i]);
}

static void test_manifests(void **state)
{
    static const char *const names[] = {
        "web.yaml", "web.yml",   "web.json", "web",  "web.conf", "web.yaml.1",
        "4914",     "~",         "#",        "#web", "web#",     "sedan.yaml",
        "sed",      "sed-web.y", "sedativ",  "bak",  "tmp.yaml", "web.orig.yaml"};

    for (size_t i = 0; i < array_size(names); i++)
        if (leftover_is(names[i]))
            fail_msg("%s is a manifest", names[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_leftovers),
        cmocka_unit_test(test_manifests),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
