/* agent/node-images: which of the runtime's images a Node names. */
#include "node-fixture.h"

#include "node-images.h"
#include "node-patch.h"

#include <stdio.h>

enum { IMAGES = 60 };

struct answer {
    Cri__ListImagesResponse response;
    Cri__Image images[IMAGES];
    Cri__Image *pointers[IMAGES];
    char ids[IMAGES][8];
};

/* Two of each size, the larger last. */
static void fill(struct answer *answer)
{
    *answer = (struct answer){.response = CRI__LIST_IMAGES_RESPONSE__INIT};
    for (int i = 0; i < IMAGES; i++) {
        answer->images[i] = (Cri__Image)CRI__IMAGE__INIT;
        snprintf(answer->ids[i], sizeof(answer->ids[i]), "id-%02d", i);
        answer->images[i].id = answer->ids[i];
        answer->images[i].size = (uint64_t)i / 2 + 1;
        answer->pointers[i] = &answer->images[i];
    }
    answer->response.n_images = IMAGES;
    answer->response.images = answer->pointers;
}

static const char *names_of(struct node_fixture *fixture, const struct node_image *image)
{
    const char *text = "";

    for (size_t i = 0; i < image->names.count; i++)
        text =
            arena_printf(&fixture->arena, "%s%s%s", text, *text ? " " : "", image->names.items[i]);
    return text;
}

static void test_check_13_the_largest_with_their_names(void **state)
{
    char one[] = "d@1", two[] = "d@2", three[] = "d@3", four[] = "d@4", tag[] = "t:1",
         other_tag[] = "t:2", broken[] = "a\xff:1";
    char *digests[] = {one, two, three, four}, *tags[] = {tag, other_tag}, *breaks[] = {broken};
    struct node_fixture *fixture = *state;
    struct node_image_list list;
    struct answer answer;

    fill(&answer);
    answer.images[59].n_repo_digests = 4;
    answer.images[59].repo_digests = digests;
    answer.images[59].n_repo_tags = 2;
    answer.images[59].repo_tags = tags;
    answer.images[57].n_repo_tags = 1;
    answer.images[57].repo_tags = breaks;
    list = node_images_choose(&answer.response, 50, &fixture->arena);
    assert_int_equal(list.count, 50);
    assert_int_equal(list.items[0].size_bytes, 30);
    assert_string_equal(names_of(fixture, &list.items[0]), "");
    assert_string_equal(names_of(fixture, &list.items[1]), "d@1 d@2 d@3 d@4 t:1");
    assert_string_equal(names_of(fixture, &list.items[3]), "a?:1");
    for (size_t i = 1; i < list.count; i++)
        assert_true(list.items[i - 1].size_bytes >= list.items[i].size_bytes);
    assert_int_equal(list.items[49].size_bytes, 6);

    assert_int_equal(node_images_choose(&answer.response, -1, &fixture->arena).count, IMAGES);
    assert_int_equal(node_images_choose(&answer.response, 0, &fixture->arena).count, 0);
    answer.images[0].size = UINT64_MAX;
    list = node_images_choose(&answer.response, 1, &fixture->arena);
    assert_true(list.items[0].size_bytes == INT64_MAX);
    answer.response.n_images = 0;
    assert_int_equal(node_images_choose(&answer.response, 50, &fixture->arena).count, 0);
}

/* What is not another Node is not told again, in whatever order the runtime has it. */
static void test_the_order_stays(void **state)
{
    struct node_fixture *fixture = *state;
    struct node_image_list list;
    struct node *seen, *now;
    struct strbuf patch = STRBUF_INIT;
    struct answer answer;
    char *tags[IMAGES];

    fill(&answer);
    for (int i = 0; i < IMAGES; i++) {
        tags[i] = answer.ids[i];
        answer.images[i].n_repo_tags = 1;
        answer.images[i].repo_tags = &tags[i];
    }
    list = node_images_choose(&answer.response, 50, &fixture->arena);
    fixture->runtime.images = &list;
    seen = node_object_new(&fixture->inputs, &fixture->trouble);
    for (int i = 0; i < IMAGES; i++)
        answer.pointers[i] = &answer.images[IMAGES - 1 - i];
    list = node_images_choose(&answer.response, 50, &fixture->arena);
    fixture->inputs.seen = seen;
    fixture->inputs.now_usec += 1000000;
    now = node_object_refresh(&fixture->inputs, &fixture->trouble);
    assert_false(node_patch_write(seen, now, &patch));
    assert_null(strstr(patch.text, "images"));
    strbuf_deinit(&patch);
    node_free(now);
    node_free(seen);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_node(test_check_13_the_largest_with_their_names),
        with_node(test_the_order_stays),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
