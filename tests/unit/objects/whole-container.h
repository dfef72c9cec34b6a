/*
 * A container in which every field is set, defaults included, so that it comes back as it is.
 * It is for the tests of decoding: validation would refuse some of its combinations.
 */
#pragma once

#define WHOLE_PROBE_END                                                                            \
    "initialDelaySeconds: 1, timeoutSeconds: 2, periodSeconds: 3, successThreshold: 1,"            \
    "failureThreshold: 5, terminationGracePeriodSeconds: 6}"

#define WHOLE_CONTAINER_MEMBERS                                                                    \
    "image: 'example.com/a:1', command: [sh, -c, ''], args: [x], workingDir: /w,"                  \
    "ports: [{name: http, hostPort: 1, containerPort: 2, protocol: UDP, hostIP: 10.0.0.1}],"       \
    "envFrom: [{prefix: P, configMapRef: {name: c, optional: true}},"                              \
    "{secretRef: {name: s, optional: false}}],"                                                    \
    "env: [{name: A, value: v}, {name: B, valueFrom: {fieldRef: {apiVersion: v1,"                  \
    "fieldPath: metadata.name}, resourceFieldRef: {containerName: c, resource: limits.cpu,"        \
    "divisor: 1m}, configMapKeyRef: {name: nn, key: k, optional: true}, secretKeyRef: {name: nn,"  \
    "key: k, optional: false}, fileKeyRef: {volumeName: v, path: p, key: k, optional: false}}}],"  \
    "resources: {limits: {memory: 1Gi, cpu: 500m}, requests: {memory: 1Gi, cpu: 100m},"            \
    "claims: [{name: c, request: r}]},"                                                            \
    "resizePolicy: [{resourceName: cpu, restartPolicy: NotRequired}], restartPolicy: Always,"      \
    "restartPolicyRules: [{action: Restart, exitCodes: {operator: In, values: [3, -1]}}],"         \
    "volumeMounts: [{name: v, readOnly: true, recursiveReadOnly: Enabled, mountPath: /m,"          \
    "subPath: s, mountPropagation: None, subPathExpr: $(A)}],"                                     \
    "volumeDevices: [{name: d, devicePath: /dev/d}],"                                              \
    "livenessProbe: {exec: {command: ['true']}, " WHOLE_PROBE_END ","                              \
    "readinessProbe: {httpGet: {path: /, port: 80, host: h, scheme: HTTPS, httpHeaders: [{name: "  \
    "X, value: yy}]}, " WHOLE_PROBE_END ","                                                        \
    "startupProbe: {tcpSocket: {port: http, host: h}, grpc: {port: 1, service: "                   \
    "''}, " WHOLE_PROBE_END ","                                                                    \
    "lifecycle: {postStart: {exec: {command: [a]}, httpGet: {path: /, port: http, scheme: HTTP},"  \
    "tcpSocket: {port: 1}}, preStop: {sleep: {seconds: 5}}},"                                      \
    "terminationMessagePath: /t, terminationMessagePolicy: File, imagePullPolicy: Never,"          \
    "securityContext: {capabilities: {add: [A], drop: [ALL]}, privileged: false,"                  \
    "seLinuxOptions: {user: u, role: r, type: t, level: l}, windowsOptions: {"                     \
    "gmsaCredentialSpecName: nn, gmsaCredentialSpec: s, runAsUserName: u, hostProcess: false},"    \
    "runAsUser: 0, runAsGroup: 1, runAsNonRoot: false, readOnlyRootFilesystem: true,"              \
    "allowPrivilegeEscalation: false, procMount: Default, seccompProfile: {type: Localhost,"       \
    "localhostProfile: ''}, appArmorProfile: {type: Localhost, localhostProfile: p}},"             \
    "stdin: true, stdinOnce: true, tty: true"

/* What the defaults of a pod's specification are when they are written out. */
#define WHOLE_POD_BEGIN "{apiVersion: v1, kind: Pod, metadata: {name: web}, spec: {"
#define WHOLE_POD_END                                                                              \
    "restartPolicy: Always, terminationGracePeriodSeconds: 30, dnsPolicy: ClusterFirst,"           \
    "securityContext: {}, schedulerName: default-scheduler, enableServiceLinks: true}}"
