/* Keys, requests for certificates, and the objects that carry them. */
#include "nodeagent/api/certificate_request.h"
#include "nodeagent/api/secret.h"
#include "nodeagent/base/base64.h"
#include "nodeagent/base/json.h"
#include "nodeagent/objects/names.h"
#include "openssl-pem.h"

#include <errno.h>
#include <openssl/pem.h>
#include <stdio.h>

#define GROUP "system:nodes"

enum {
    USAGES = 2,
    USER_MAX = 300, /* of "system:node:NAME"; names of nodes have at most 253 */
};

static const char *const signers[] = {
    [CERTIFICATE_CLIENT] = "kubernetes.io/kube-apiserver-client-kubelet",
    [CERTIFICATE_SERVING] = "kubernetes.io/kubelet-serving",
};

/* For keys of ECDSA; those of RSA would need "key encipherment" as well. */
static const char *const usages[][USAGES] = {
    [CERTIFICATE_CLIENT] = {"digital signature", "client auth"},
    [CERTIFICATE_SERVING] = {"digital signature", "server auth"},
};

static void user_of(const struct certificate_wish *wish, char user[USER_MAX])
{
    snprintf(user, USER_MAX, "system:node:%s", wish->node);
}

static int load_key(const struct strbuf *key, EVP_PKEY **loaded, struct err *err)
{
    return pem_read_key(&(struct certificate_text){"the node's key", key->text, key->length},
                        loaded, NULL, err);
}

int certificate_key_make(struct strbuf *key, struct err *err)
{
    _cleanup_(EVP_PKEY_free_at) EVP_PKEY *made = EVP_EC_gen("P-256");
    _cleanup_(BIO_free_at) BIO *bio = pem_collector();
    char *bytes;
    long length;

    /* As the kubelet writes it ("EC PRIVATE KEY"), so that the node can go back to it. */
    if (!made || !PEM_write_bio_PrivateKey_traditional(bio, made, NULL, NULL, 0, NULL, NULL))
        return openssl_failed(err, "cannot make a new key; look at OpenSSL's configuration");
    length = BIO_get_mem_data(bio, &bytes);
    secret_init_copy(key, bytes, (size_t)length);
    return 0;
}

/* the request */

static int check_wish(const struct certificate_wish *wish, struct err *err)
{
    const char *complaint = name_check_subdomain(wish->node);

    if (complaint)
        return err_set(err, -EINVAL, "a certificate for node \"%s\": its name %s", wish->node,
                       complaint);
    if (wish->use == CERTIFICATE_CLIENT)
        return 0;
    for (const char *const *name = wish->names; *name; name++)
        if (!name_check_ip(*name))
            return 0;
    return err_set(err, -EINVAL,
                   "a serving certificate for node %s: the node has no IP address yet, and "
                   "nobody signs one without",
                   wish->node);
}

static int add_names(X509_REQ *request, const char *const *names, struct err *err)
{
    _cleanup_(X509_EXTENSION_free_at) X509_EXTENSION *extension = NULL;
    int r = pem_names_extension(names, &extension, err);
    STACK_OF(X509_EXTENSION) * all;

    if (r < 0)
        return r;
    all = sk_X509_EXTENSION_new_null();
    assert_that(all && sk_X509_EXTENSION_push(all, extension));
    assert_that(X509_REQ_add_extensions(request, all));
    sk_X509_EXTENSION_free(all);
    return 0;
}

int certificate_request_make(const struct certificate_wish *wish, const struct strbuf *key,
                             struct strbuf *pem, struct err *err)
{
    _cleanup_(EVP_PKEY_free_at) EVP_PKEY *loaded = NULL;
    _cleanup_(X509_REQ_free_at) X509_REQ *request = X509_REQ_new();
    _cleanup_(BIO_free_at) BIO *bio = pem_collector();
    char user[USER_MAX], *bytes;
    long length;
    int r = check_wish(wish, err);

    if (r == 0)
        r = load_key(key, &loaded, err);
    if (r == 0 && wish->use == CERTIFICATE_SERVING)
        r = add_names(request, wish->names, err);
    if (r < 0)
        return r;
    user_of(wish, user);
    pem_add_subject(X509_REQ_get_subject_name(request), NID_organizationName, GROUP);
    pem_add_subject(X509_REQ_get_subject_name(request), NID_commonName, user);
    if (!X509_REQ_set_pubkey(request, loaded) || !X509_REQ_sign(request, loaded, EVP_sha256()) ||
        !PEM_write_bio_X509_REQ(bio, request))
        return openssl_failed(err, "cannot sign a request for a certificate for node %s",
                              wish->node);
    length = BIO_get_mem_data(bio, &bytes);
    strbuf_add_bytes(pem, bytes, (size_t)length);
    return 0;
}

/* the object */

static void write_spec(struct json_writer *writer, const struct certificate_wish *wish,
                       const struct strbuf *pem)
{
    _cleanup_(strbuf_deinit) struct strbuf encoded = STRBUF_INIT;

    base64_encode(&encoded, pem->text, pem->length);
    json_write_name(writer, "spec");
    json_write_object(writer);
    json_write_string_member(writer, "request", encoded.text);
    json_write_string_member(writer, "signerName", signers[wish->use]);
    json_write_name(writer, "usages");
    json_write_array(writer);
    for (size_t i = 0; i < USAGES; i++)
        json_write_string(writer, usages[wish->use][i]);
    json_write_array_end(writer);
    json_write_object_end(writer);
}

void certificate_request_write(const struct certificate_wish *wish, const struct strbuf *pem,
                               struct strbuf *body)
{
    struct json_writer writer;

    json_writer_init(&writer, body, false);
    json_write_object(&writer);
    json_write_string_member(&writer, "apiVersion", "certificates.k8s.io/v1");
    json_write_string_member(&writer, "kind", "CertificateSigningRequest");
    json_write_name(&writer, "metadata");
    json_write_object(&writer);
    json_write_string_member(&writer, "generateName", "csr-");
    json_write_object_end(&writer);
    write_spec(&writer, wish, pem);
    json_write_object_end(&writer);
    json_writer_deinit(&writer);
}
