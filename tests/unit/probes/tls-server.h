/* A TLS server for one connection, with a certificate that expired and that nobody signed. It
 * answers in the protocol that was agreed on. */
#pragma once

#include "listener.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <string.h>

struct tls_server {
    struct listener listener;
    const char *protocol;        /* "h2": spoken if it is offered; else "http/1.1" */
    unsigned char protocols[16]; /* what was agreed on points into it */
    pthread_t thread;
    bool named; /* the client said whom it wants */
    char request[1024];
};

/* An answer of status 200 without a body, as frames: SETTINGS, HEADERS that end stream 1. */
static const char tls_answer_h2[] = "\0\0\0\4\0\0\0\0\0"
                                    "\0\0\1\1\5\0\0\0\1\x88";
static const char tls_answer_1_1[] = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";

static inline X509 *tls_certificate(EVP_PKEY *key)
{
    X509 *certificate = X509_new();

    X509_gmtime_adj(X509_getm_notBefore(certificate), -7200);
    X509_gmtime_adj(X509_getm_notAfter(certificate), -3600);
    X509_set_pubkey(certificate, key);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_ASC,
                               (const unsigned char *)"somebody", -1, -1, 0);
    X509_set_issuer_name(certificate, X509_get_subject_name(certificate));
    X509_sign(certificate, key, EVP_sha256());
    return certificate;
}

static inline int tls_select(SSL *ssl, const unsigned char **out, unsigned char *out_length,
                             const unsigned char *in, unsigned length, void *data)
{
    struct tls_server *server = data;
    size_t size = strlen(server->protocol);

    server->protocols[0] = (unsigned char)size;
    memcpy(server->protocols + 1, server->protocol, size);
    return SSL_select_next_proto((unsigned char **)out, out_length, server->protocols,
                                 (unsigned)size + 1, in, length) == OPENSSL_NPN_NEGOTIATED
               ? SSL_TLSEXT_ERR_OK
               : SSL_TLSEXT_ERR_NOACK;
}

static inline void tls_talk(struct tls_server *server, SSL *ssl)
{
    bool h2 = !strcmp(server->protocol, "h2");
    int length;

    if (SSL_accept(ssl) != 1)
        return;
    server->named = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name) != NULL;
    length = SSL_read(ssl, server->request, sizeof(server->request) - 1);
    if (length <= 0)
        return;
    SSL_write(ssl, h2 ? tls_answer_h2 : tls_answer_1_1,
              (int)(h2 ? sizeof(tls_answer_h2) : sizeof(tls_answer_1_1)) - 1);
    while (SSL_read(ssl, (char[256]){0}, 256) > 0)
        ;
}

static inline void *tls_run(void *data)
{
    struct tls_server *server = data;
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *certificate = tls_certificate(key);
    SSL *ssl;
    int fd;

    SSL_CTX_use_certificate(context, certificate);
    SSL_CTX_use_PrivateKey(context, key);
    SSL_CTX_set_alpn_select_cb(context, tls_select, server);
    ssl = SSL_new(context);
    fd = accept(server->listener.fd, NULL, NULL);
    SSL_set_fd(ssl, fd);
    tls_talk(server, ssl);
    SSL_free(ssl);
    close(fd);
    X509_free(certificate);
    EVP_PKEY_free(key);
    SSL_CTX_free(context);
    return NULL;
}

static inline void tls_server_start(struct tls_server *server)
{
    listener_start(&server->listener, 1);
    assert_int_equal(pthread_create(&server->thread, NULL, tls_run, server), 0);
}

static inline void tls_server_stop(struct tls_server *server)
{
    pthread_join(server->thread, NULL);
    listener_stop(&server->listener);
}
