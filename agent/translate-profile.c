/* The seccomp and AppArmor profiles of a container. */
#include "nodeagent/objects/names.h"
#include "translate-internal.h"

#include <errno.h>
#include <string.h>

#define APPARMOR_ANNOTATION "container.apparmor.security.beta.kubernetes.io/"

Cri__SecurityProfile *profile_new(struct arena *arena, Cri__SecurityProfile__ProfileType type)
{
    Cri__SecurityProfile *profile = message_new(arena, &cri__security_profile__descriptor);

    profile->profile_type = type;
    return profile;
}

/* seccomp */

static int local_seccomp(const struct translation *translation, const char *name,
                         Cri__SecurityProfile **result, struct err *err)
{
    if (str_empty(name))
        return err_set(err, -EINVAL,
                       "localhostProfile must be set if seccompProfile type is Localhost.");
    if (*name == '/' || path_has_dot_dot(name))
        return err_set(err, -EINVAL,
                       "localhostProfile \"%s\" must stay in the directory of seccomp profiles",
                       name);
    *result = profile_new(translation->arena, CRI__SECURITY_PROFILE__PROFILE_TYPE__Localhost);
    (*result)->localhost_ref = arena_printf(translation->arena, "%s/seccomp/%s",
                                            translation->node->config->root_dir, name);
    return 0;
}

static int seccomp_of(const struct translation *translation, const struct container *container,
                      Cri__SecurityProfile **result, struct err *err)
{
    const struct pod_security_context *pod = translation->pod->spec.security_context;
    const struct security_context *own = container->security_context;
    const struct confinement *profile = own ? own->seccomp_profile : NULL;
    bool runtime_default;

    if (!profile && pod)
        profile = pod->seccomp_profile;
    if (profile && str_equal(profile->type, "Localhost"))
        return local_seccomp(translation, profile->localhost_profile, result, err);
    runtime_default = profile ? str_equal(profile->type, "RuntimeDefault")
                              : translation->node->config->seccomp_default;
    *result = profile_new(translation->arena,
                          runtime_default ? CRI__SECURITY_PROFILE__PROFILE_TYPE__RuntimeDefault
                                          : CRI__SECURITY_PROFILE__PROFILE_TYPE__Unconfined);
    return 0;
}

int translate_seccomp_file(const struct translation *translation, const struct container *container,
                           const char **path, struct err *err)
{
    Cri__SecurityProfile *profile = NULL;
    int r = seccomp_of(translation, container, &profile, err);

    *path = r == 0 && *profile->localhost_ref ? profile->localhost_ref : NULL;
    return r;
}

/* AppArmor */

/* Of pods that were written before there was a field. */
static struct confinement annotated(const struct translation *translation,
                                    const struct container *container)
{
    const char *name = arena_printf(translation->arena, APPARMOR_ANNOTATION "%s", container->name);
    const char *value = string_map_get(&translation->pod->object.metadata.annotations, name);

    if (str_equal(value, "runtime/default"))
        return (struct confinement){.type = "RuntimeDefault"};
    if (str_equal(value, "unconfined"))
        return (struct confinement){.type = "Unconfined"};
    if (value && str_has_prefix(value, "localhost/"))
        return (struct confinement){"Localhost", value + strlen("localhost/")};
    return (struct confinement){0};
}

static struct confinement apparmor_of(const struct translation *translation,
                                      const struct container *container)
{
    const struct pod_security_context *pod = translation->pod->spec.security_context;
    const struct security_context *own = container->security_context;
    struct confinement profile;

    if (own && own->app_armor_profile)
        return *own->app_armor_profile;
    profile = annotated(translation, container);
    return !profile.type && pod && pod->app_armor_profile ? *pod->app_armor_profile : profile;
}

static int set_apparmor(const struct translation *translation, const struct container *container,
                        Cri__SecurityProfile **result, struct err *err)
{
    struct confinement profile = apparmor_of(translation, container);
    struct arena *arena = translation->arena;

    if (!profile.type)
        return 0;
    if (str_equal(profile.type, "RuntimeDefault")) {
        *result = profile_new(arena, CRI__SECURITY_PROFILE__PROFILE_TYPE__RuntimeDefault);
    } else if (str_equal(profile.type, "Unconfined")) {
        *result = profile_new(arena, CRI__SECURITY_PROFILE__PROFILE_TYPE__Unconfined);
    } else if (!str_equal(profile.type, "Localhost")) {
        return err_set(err, -EINVAL, "unknown apparmor profile type: \"%s\"", profile.type);
    } else if (str_empty(profile.localhost_profile)) {
        return err_set(err, -EINVAL, "missing localhost apparmor profile name");
    } else {
        *result = profile_new(arena, CRI__SECURITY_PROFILE__PROFILE_TYPE__Localhost);
        (*result)->localhost_ref = wire_text(profile.localhost_profile);
    }
    return 0;
}

int translate_profiles(const struct translation *translation, const struct container *container,
                       Cri__LinuxContainerSecurityContext *security, struct err *err)
{
    int r = seccomp_of(translation, container, &security->seccomp, err);

    return r < 0 ? r : set_apparmor(translation, container, &security->apparmor, err);
}
