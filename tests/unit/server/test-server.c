/* server/server.c: clients that ask, stall, flood and handshake. */
#include "certificates.h"
#include "place.h"

#include <fcntl.h>

#define GET "GET /x HTTP/1.1\r\nHost: x\r\n\r\n"
#define ANSWERED "you asked for"

static void answer(void *owner, const struct server_request *request, struct server_answer *result)
{
    struct place *place = owner;

    place->asked++;
    result->status = 503;
    strbuf_printf(&result->body, "you asked for %s\n", server_request_path(request));
}

static void open_plain(struct place *place)
{
    place_open(place, NULL, answer);
}

static void test_one_connection_asks_again(void **state)
{
    struct place place;
    int fd;

    open_plain(&place);
    fd = place_connect(&place, "127.0.0.1");
    for (unsigned i = 1; i <= 3; i++) {
        place_send(fd, GET);
        assert_non_null(strstr(place_receive(&place, fd, ANSWERED), "503 Service Unavailable"));
        assert_int_equal(place.asked, i);
    }
    close(fd);
    place_close(&place);
}

static void test_a_body_is_not_waited_for(void **state)
{
    struct place place;
    int fd;

    open_plain(&place);
    fd = place_connect(&place, "127.0.0.1");
    place_send(fd, "POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000000\r\n\r\nabc");
    assert_non_null(strstr(place_receive(&place, fd, ANSWERED), "503"));
    close(fd);
    place_close(&place);
}

static void test_nonsense_is_refused(void **state)
{
    static const char *const cases[] = {"nonsense\r\n\r\n", "GET /x HTTP/1.1\r\n\r\n",
                                        "\x16\x03\x01\x02\r\n\r\n"};
    struct place place;

    open_plain(&place);
    for (size_t i = 0; i < array_size(cases); i++) {
        int fd = place_connect(&place, "127.0.0.1");
        const char *text;

        place_send(fd, cases[i]);
        shutdown(fd, SHUT_WR);
        text = place_receive(&place, fd, NULL);
        assert_non_null(text);
        assert_true(!*text || strstr(text, " 400 "));
        close(fd);
    }
    assert_int_equal(place.asked, 0);
    place_close(&place);
}

static void test_a_head_has_a_limit(void **state)
{
    struct place place;
    char line[128];
    const char *text;
    int fd;

    open_plain(&place);
    fd = place_connect(&place, "127.0.0.1");
    place_send(fd, "GET /x HTTP/1.1\r\nHost: x\r\n");
    for (int i = 0; i < 2 * PLACE_HEAD_MAX / 100; i++) {
        snprintf(line, sizeof(line), "X-%d: %090d\r\n", i, 0);
        if (send(fd, line, strlen(line), MSG_NOSIGNAL) < 0)
            break;
        place_turn(&place);
    }
    text = place_receive(&place, fd, NULL);
    assert_non_null(text);
    assert_true(!*text || strstr(text, " 431 ") || strstr(text, " 413 "));
    assert_int_equal(place.asked, 0);
    close(fd);
    place_close(&place);
}

/* Bytes that come one by one gain nobody time. */
static void test_slow_heads_are_cut_off(void **state)
{
    struct place place;
    int silent, slow;

    open_plain(&place);
    silent = place_connect(&place, "127.0.0.1");
    slow = place_connect(&place, "127.0.0.2");
    place_send(slow, "GET /x HTT");
    assert_true(place_is_silent(&place, silent));
    place_wait(&place, SERVER_HEAD_USEC / 2);
    place_send(slow, "P/1.1\r\nHost:");
    assert_true(place_is_silent(&place, silent));
    assert_true(place_is_silent(&place, slow));
    place_wait(&place, SERVER_HEAD_USEC / 2 + USEC_PER_SEC);
    assert_string_equal(place_receive(&place, silent, NULL), "");
    assert_non_null(place_receive(&place, slow, NULL));
    assert_int_equal(place.asked, 0);
    close(silent);
    close(slow);
    place_close(&place);
}

static void test_who_asks_no_more_is_cut_off(void **state)
{
    struct place place;
    int fd;

    open_plain(&place);
    fd = place_connect(&place, "127.0.0.1");
    place_send(fd, GET);
    assert_non_null(place_receive(&place, fd, ANSWERED));
    place_wait(&place, SERVER_HEAD_USEC + USEC_PER_SEC);
    assert_true(place_is_silent(&place, fd));
    place_wait(&place, SERVER_IDLE_USEC);
    assert_string_equal(place_receive(&place, fd, NULL), "");
    close(fd);
    place_close(&place);
}

static void test_too_many_of_one_client_are_closed(void **state)
{
    int fds[PLACE_PER_CLIENT_MAX + 1];
    struct place place;

    open_plain(&place);
    for (int i = 0; i <= PLACE_PER_CLIENT_MAX; i++) {
        fds[i] = place_connect(&place, "127.0.0.1");
        place_turn(&place);
    }
    assert_string_equal(place_receive(&place, fds[PLACE_PER_CLIENT_MAX], NULL), "");
    close(fds[0]);
    place_turn(&place);
    close(fds[PLACE_PER_CLIENT_MAX]);
    fds[0] = place_connect(&place, "127.0.0.1");
    place_send(fds[0], GET);
    assert_non_null(strstr(place_receive(&place, fds[0], ANSWERED), "503"));
    for (int i = 0; i < PLACE_PER_CLIENT_MAX; i++)
        close(fds[i]);
    place_close(&place);
}

static void test_too_many_wait(void **state)
{
    int fds[PLACE_CONNECTIONS_MAX + 1];
    struct place place;
    char from[32];

    open_plain(&place);
    for (int i = 0; i <= PLACE_CONNECTIONS_MAX; i++) {
        snprintf(from, sizeof(from), "127.0.0.%d", i + 1);
        fds[i] = place_connect(&place, from);
        place_turn(&place);
    }
    place_send(fds[PLACE_CONNECTIONS_MAX], GET);
    assert_true(place_is_silent(&place, fds[PLACE_CONNECTIONS_MAX]));
    close(fds[1]);
    assert_non_null(strstr(place_receive(&place, fds[PLACE_CONNECTIONS_MAX], ANSWERED), "503"));
    for (int i = 0; i <= PLACE_CONNECTIONS_MAX; i++)
        if (i != 1)
            close(fds[i]);
    place_close(&place);
}

static void test_who_says_nothing_makes_room_in_a_brief_server(void **state)
{
    int fds[PLACE_CONNECTIONS_MAX], fd;
    struct place place;
    char from[32];

    place_open_with(&place, (struct server_options){.brief = true, .answer = answer});
    for (int i = 0; i < PLACE_CONNECTIONS_MAX; i++) {
        snprintf(from, sizeof(from), "127.0.0.%d", i + 2);
        fds[i] = place_connect(&place, from);
        place_turn(&place);
    }
    assert_string_equal(place_receive(&place, fds[0], NULL), ""); /* for others */
    assert_true(place_is_silent(&place, fds[1]));
    fd = place_connect(&place, "127.0.0.1");
    place_send(fd, GET);
    assert_non_null(strstr(place_receive(&place, fd, NULL), "Connection: close\r\n"));
    assert_non_null(strstr(place.answer, ANSWERED)); /* and it is over */
    assert_string_equal(place_receive(&place, fds[1], NULL), "");
    assert_true(place_is_silent(&place, fds[2]));
    place_wait(&place, SERVER_BRIEF_USEC + USEC_PER_SEC);
    assert_string_equal(place_receive(&place, fds[2], NULL), "");
    for (int i = 0; i < PLACE_CONNECTIONS_MAX; i++)
        close(fds[i]);
    close(fd);
    place_close(&place);
}

static void test_a_port_in_use(void **state)
{
    struct place place;
    struct server_options options = {.address = "127.0.0.1", .answer = answer};
    struct server *server;
    struct err err;

    open_plain(&place);
    options.loop = place.loop;
    options.wheel = place.wheel;
    options.port = server_port(place.server);
    assert_int_equal(server_new(&server, &options, &err), -EADDRINUSE);
    place_close(&place);
}

/* TLS: the client makes its handshake step by step with the server's loop */

struct tls_client {
    int fd;
    gnutls_session_t session;
    gnutls_certificate_credentials_t trusted;
};

static void tls_begin(struct tls_client *client, struct place *place, const char *trusted,
                      const char *name, const char *priority)
{
    gnutls_datum_t authority = {(unsigned char *)trusted, (unsigned)strlen(trusted)};

    client->fd = place_connect(place, "127.0.0.1");
    assert_int_equal(fcntl(client->fd, F_SETFL, O_NONBLOCK), 0);
    assert_int_equal(gnutls_init(&client->session, GNUTLS_CLIENT | GNUTLS_NONBLOCK), 0);
    assert_int_equal(gnutls_priority_set_direct(client->session, priority, NULL), 0);
    gnutls_certificate_allocate_credentials(&client->trusted);
    gnutls_certificate_set_x509_trust_mem(client->trusted, &authority, GNUTLS_X509_FMT_PEM);
    gnutls_credentials_set(client->session, GNUTLS_CRD_CERTIFICATE, client->trusted);
    gnutls_session_set_verify_cert(client->session, name, 0);
    gnutls_transport_set_int2(client->session, client->fd, client->fd);
    gnutls_transport_set_pull_timeout_function(client->session, gnutls_system_recv_timeout);
}

static int tls_handshake(struct tls_client *client, struct place *place)
{
    usec_t until = usec_add(clock_boottime(), PLACE_PATIENCE);
    int r;

    do {
        place_turn(place);
        r = gnutls_handshake(client->session);
    } while ((r == GNUTLS_E_AGAIN || r == GNUTLS_E_WARNING_ALERT_RECEIVED) &&
             clock_boottime() < until);
    return r;
}

static bool tls_asks(struct tls_client *client, struct place *place)
{
    usec_t until = usec_add(clock_boottime(), PLACE_PATIENCE);
    size_t length = 0;
    ssize_t more;

    assert_int_equal(gnutls_record_send(client->session, GET, strlen(GET)), strlen(GET));
    do {
        place_turn(place);
        more = gnutls_record_recv(client->session, place->answer + length,
                                  sizeof(place->answer) - 1 - length);
        length += more > 0 ? (size_t)more : 0;
        place->answer[length] = '\0';
    } while ((more > 0 || more == GNUTLS_E_AGAIN) && !strstr(place->answer, ANSWERED) &&
             clock_boottime() < until);
    return strstr(place->answer, ANSWERED);
}

static void tls_end(struct tls_client *client)
{
    gnutls_deinit(client->session);
    gnutls_certificate_free_credentials(client->trusted);
    close(client->fd);
}

static int tls_try(struct place *place, const char *trusted, const char *name, const char *priority)
{
    struct tls_client client;
    int r;

    tls_begin(&client, place, trusted, name, priority);
    r = tls_handshake(&client, place);
    if (r == 0 && !tls_asks(&client, place))
        r = GNUTLS_E_SESSION_EOF; /* with TLS 1.3 a refusal comes after the client's last word */
    tls_end(&client);
    return r;
}

static void use(struct place *place, const struct made_certificate *made)
{
    struct server_pem chain = pem_of(made->chain), key = pem_of(made->key);
    struct err err;

    if (server_use_certificate(place->server, &chain, &key, &err) < 0)
        fail_msg("%s", err.text);
}

static void test_certificates_change_while_it_serves(void **state)
{
    const struct server_tls tls = {SERVER_TLS_1_2, NULL};
    struct made_certificate one, other;
    struct tls_client lasting;
    struct server_pem chain, key;
    struct place place;
    struct err err;

    make_certificate(&one, "one.test");
    make_certificate(&other, "other.test");
    place_open(&place, &tls, answer);
    assert_true(tls_try(&place, one.chain, "one.test", "NORMAL") < 0);
    use(&place, &one);
    assert_int_equal(tls_try(&place, one.chain, "one.test", "NORMAL"), 0);
    tls_begin(&lasting, &place, one.chain, "one.test", "NORMAL");
    assert_int_equal(tls_handshake(&lasting, &place), 0);
    use(&place, &other);
    assert_true(tls_try(&place, one.chain, "one.test", "NORMAL") < 0);
    assert_int_equal(tls_try(&place, other.chain, "other.test", "NORMAL"), 0);
    assert_true(tls_asks(&lasting, &place));
    tls_end(&lasting);

    chain = pem_of(one.chain);
    key = pem_of(other.key);
    assert_int_equal(server_use_certificate(place.server, &chain, &key, &err), -EINVAL);
    assert_int_equal(tls_try(&place, other.chain, "other.test", "NORMAL"), 0);
    place_close(&place);
}

static void test_versions_and_suites_are_kept_to(void **state)
{
    static const char *const suites[] = {"TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384", NULL};
    static const struct {
        struct server_tls tls;
        const char *client;
        int good;
    } cases[] = {
        {{SERVER_TLS_1_2, NULL}, "NORMAL:-VERS-ALL:+VERS-TLS1.2", 1},
        {{SERVER_TLS_1_2, NULL}, "NORMAL:-VERS-ALL:+VERS-TLS1.1", 0},
        {{SERVER_TLS_1_3, NULL}, "NORMAL:-VERS-ALL:+VERS-TLS1.2", 0},
        {{SERVER_TLS_1_3, suites}, "NORMAL:-CIPHER-ALL:+AES-128-GCM", 1},
        {{SERVER_TLS_1_2, suites}, "NORMAL:-CIPHER-ALL:+AES-128-GCM", 0},
        {{SERVER_TLS_1_2, suites}, "NORMAL", 1},
        {{SERVER_TLS_1_2, suites}, "NORMAL:-VERS-ALL:+VERS-TLS1.2", 1},
    };
    struct made_certificate made;

    make_certificate(&made, "one.test");
    for (size_t i = 0; i < array_size(cases); i++) {
        struct place place;

        place_open(&place, &cases[i].tls, answer);
        use(&place, &made);
        assert_int_equal(tls_try(&place, made.chain, "one.test", cases[i].client) == 0,
                         cases[i].good);
        place_close(&place);
    }
}

/* Half a handshake holds its connection as long as half a head does. */
static void test_slow_handshakes_are_cut_off(void **state)
{
    const struct server_tls tls = {SERVER_TLS_1_2, NULL};
    struct place place;
    int plain, half;

    place_open(&place, &tls, answer);
    half = place_connect(&place, "127.0.0.1");
    assert_int_equal(send(half, "\x16\x03\x01", 3, 0), 3);
    plain = place_connect(&place, "127.0.0.1");
    place_send(plain, GET);
    assert_non_null(place_receive(&place, plain, NULL));
    assert_true(place_is_silent(&place, half));
    place_wait(&place, SERVER_HEAD_USEC + USEC_PER_SEC);
    assert_non_null(place_receive(&place, half, NULL));
    assert_int_equal(place.asked, 0);
    close(half);
    close(plain);
    place_close(&place);
}

/* While no timer fires, however slow the machine is. */
static void turn_in_one_window(struct place *place)
{
    while (loop_turn(place->loop, USEC_PER_MSEC, NULL) > 0)
        ;
}

static void test_handshakes_of_one_client_have_a_limit(void **state)
{
    const struct server_tls tls = {SERVER_TLS_1_2, NULL};
    struct made_certificate made;
    struct tls_client client;
    struct place place;

    make_certificate(&made, "one.test");
    place_open(&place, &tls, answer);
    use(&place, &made);
    for (int i = 0; i < SERVER_HANDSHAKES_PER_CLIENT_MAX; i++) {
        close(place_connect(&place, "127.0.0.1"));
        turn_in_one_window(&place);
    }
    tls_begin(&client, &place, made.chain, "one.test", "NORMAL");
    assert_int_equal(gnutls_handshake(client.session), GNUTLS_E_AGAIN);
    turn_in_one_window(&place);
    assert_int_equal(gnutls_handshake(client.session), GNUTLS_E_AGAIN);
    place_wait(&place, SERVER_WINDOW_USEC);
    assert_int_equal(tls_handshake(&client, &place), 0);
    assert_true(tls_asks(&client, &place));
    tls_end(&client);
    place_close(&place);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_connection_asks_again),
        cmocka_unit_test(test_a_body_is_not_waited_for),
        cmocka_unit_test(test_nonsense_is_refused),
        cmocka_unit_test(test_a_head_has_a_limit),
        cmocka_unit_test(test_slow_heads_are_cut_off),
        cmocka_unit_test(test_who_asks_no_more_is_cut_off),
        cmocka_unit_test(test_too_many_of_one_client_are_closed),
        cmocka_unit_test(test_too_many_wait),
        cmocka_unit_test(test_who_says_nothing_makes_room_in_a_brief_server),
        cmocka_unit_test(test_a_port_in_use),
        cmocka_unit_test(test_certificates_change_while_it_serves),
        cmocka_unit_test(test_versions_and_suites_are_kept_to),
        cmocka_unit_test(test_slow_handshakes_are_cut_off),
        cmocka_unit_test(test_handshakes_of_one_client_have_a_limit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
