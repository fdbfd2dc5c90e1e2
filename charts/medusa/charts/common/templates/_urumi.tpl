{{/*
The templates that the store charts share. This file is edited in charts/common; scripts/charts.py copies it into the
chart of each engine.

A template takes a dict with `root` (the scope of the chart), `component`, and, if it renders an image, `image`
(`repository`, `tag` and `pullPolicy` from the values).
*/}}

{{/*
The storeId and the host name. They have no default. The values schema does not require them, so that `helm lint` passes
without values; rendering does.
*/}}
{{- define "urumi.storeId" -}}
{{ required "store.id is missing: expected the storeId, such as shop-1" .Values.store.id }}
{{- end }}

{{- define "urumi.host" -}}
{{ required "store.host is missing: expected a host name, such as shop-1.example.com" .Values.store.host }}
{{- end }}

{{/* The labels that select pods. They never change during the life of a store, because selectors are immutable. */}}
{{- define "urumi.selectorLabels" -}}
app.kubernetes.io/name: {{ .root.Chart.Name }}
app.kubernetes.io/instance: {{ .root.Release.Name | quote }}
app.kubernetes.io/component: {{ .component }}
{{- end }}

{{/*
The labels of a pod. A changed label restarts the pod. Therefore the version is the version of the pod's own image, and
helm.sh/chart is omitted: a new chart version must not restart a database.
*/}}
{{- define "urumi.podLabels" -}}
{{ include "urumi.selectorLabels" . }}
app.kubernetes.io/version: {{ include "urumi.tag" . | splitList "@" | first | trunc 63 | trimAll "-_." | quote }}
app.kubernetes.io/part-of: urumi
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
urumi.ai/managed-store: "true"
urumi.ai/storeId: {{ include "urumi.storeId" .root | quote }}
{{- end }}

{{/* The labels of an object. */}}
{{- define "urumi.labels" -}}
{{ include "urumi.podLabels" . }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" | trunc 63 | trimAll "-_." }}
{{- end }}

{{/*
The annotations of an object: the platform's digest of chart and values, and the annotations in `more`. The platform
treats an object with another digest as out of date. The output starts with a line break and has the indentation of
metadata.
*/}}
{{- define "urumi.annotations" -}}
{{- $mark := dict }}
{{- with .root.Values.store.digest }}
{{- $mark = dict "urumi.ai/digest" . }}
{{- end }}
{{- with merge $mark (.more | default dict) }}
  annotations:
    {{- toYaml . | nindent 4 }}
{{- end }}
{{- end }}

{{/* The metadata of a pod template. */}}
{{- define "urumi.podMetadata" -}}
labels:
  {{- include "urumi.podLabels" . | nindent 2 }}
{{- with .root.Values.podAnnotations }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{/* The tag of an image; the appVersion of the chart if the tag is empty or there is no image. */}}
{{- define "urumi.tag" -}}
{{- dig "tag" "" (default dict .image) | default .root.Chart.AppVersion -}}
{{- end }}

{{/* The image of a container. If the container fails, the end of its log becomes part of its status and of the timeline. */}}
{{- define "urumi.image" -}}
{{- $tag := include "urumi.tag" . }}
{{- if hasPrefix "latest" $tag }}
{{- fail (printf "%s has the tag %q: expected a fixed version, because \"latest\" changes without notice" .image.repository $tag) }}
{{- end }}
image: {{ printf "%s:%s" .image.repository $tag | quote }}
imagePullPolicy: {{ .image.pullPolicy }}
terminationMessagePolicy: FallbackToLogsOnError
{{- end }}

{{/*
The settings of every pod: no service account token, no service variables (a Service named `redis` would set
REDIS_PORT), and Pod Security "restricted" with the user `runAsUser`, which also owns the volumes.
*/}}
{{- define "urumi.podSettings" -}}
automountServiceAccountToken: false
enableServiceLinks: false
securityContext:
  runAsNonRoot: true
  runAsUser: {{ .runAsUser }}
  runAsGroup: {{ .runAsUser }}
  fsGroup: {{ .runAsUser }}
  fsGroupChangePolicy: OnRootMismatch
  seccompProfile:
    type: RuntimeDefault
{{- with .root.Values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .root.Values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{/* The container settings of Pod Security "restricted", and a read-only root file system. */}}
{{- define "urumi.containerSecurity" -}}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities:
    drop:
      - ALL
{{- end }}

{{/* One environment variable `name` from the key `key` of the Secret `secret`. */}}
{{- define "urumi.secretVariable" -}}
- name: {{ .name }}
  valueFrom:
    secretKeyRef:
      name: {{ .secret }}
      key: {{ .key }}
{{- end }}

{{/* The identity of the store, for the containers that run our code. */}}
{{- define "urumi.storeVariables" -}}
- name: URUMI_STORE_ID
  value: {{ include "urumi.storeId" . | quote }}
- name: URUMI_STORE_TITLE
  value: {{ .Values.store.title | default .Values.store.id | quote }}
- name: URUMI_STORE_URL
  value: {{ include "urumi.url" . | quote }}
{{- end }}

{{/* The administrator of the store, only for the init container that creates the account. */}}
{{- define "urumi.adminVariables" -}}
{{- $secret := .Values.store.adminSecret }}
{{- include "urumi.secretVariable" (dict "name" "URUMI_ADMIN_USERNAME" "secret" $secret "key" "username") }}
{{ include "urumi.secretVariable" (dict "name" "URUMI_ADMIN_PASSWORD" "secret" $secret "key" "password") }}
- name: URUMI_ADMIN_EMAIL
  value: {{ include "urumi.adminEmail" . | quote }}
{{- end }}

{{/* The host of the store's address, with the port if it is not the scheme's own: the Host of its visitors' requests. */}}
{{- define "urumi.authority" -}}
{{ include "urumi.host" . }}{{ with .Values.store.port }}:{{ . }}{{ end }}
{{- end }}

{{/* The store's address, without a slash at the end. */}}
{{- define "urumi.url" -}}
{{ .Values.store.scheme }}://{{ include "urumi.authority" . }}
{{- end }}

{{- define "urumi.adminEmail" -}}
{{ .Values.store.adminEmail | default (printf "admin@%s" (include "urumi.host" .)) }}
{{- end }}

{{/*
An HTTP probe from `probe` (path, periodSeconds, timeoutSeconds, failureThreshold). It sends the host and the scheme of
the store. Without them a shop returns a redirect to its public address, and a probe counts a redirect as success.
*/}}
{{- define "urumi.httpProbe" -}}
httpGet:
  path: {{ .probe.path | quote }}
  port: http
  httpHeaders:
    - name: Host
      value: {{ include "urumi.authority" .root | quote }}
    - name: X-Forwarded-Proto
      value: {{ .root.Values.store.scheme }}
{{ omit .probe "path" | toYaml }}
{{- end }}

{{/* The startup, readiness and liveness HTTP probes of a container, from `probes`. */}}
{{- define "urumi.httpProbes" -}}
startupProbe:
  {{- include "urumi.httpProbe" (dict "root" .root "probe" .probes.startup) | nindent 2 }}
readinessProbe:
  {{- include "urumi.httpProbe" (dict "root" .root "probe" .probes.readiness) | nindent 2 }}
livenessProbe:
  {{- include "urumi.httpProbe" (dict "root" .root "probe" .probes.liveness) | nindent 2 }}
{{- end }}

{{/*
A volume claim `name` of `size`. It is a separate object and not a volumeClaimTemplate, because an upgrade cannot change
a template: this claim can grow and get new labels. It remains after an uninstall and is deleted with the namespace.
*/}}
{{- define "urumi.volumeClaim" -}}
apiVersion: v1
kind: PersistentVolumeClaim
metadata:
  name: {{ .name }}
  labels:
    {{- include "urumi.labels" . | nindent 4 }}
  {{- include "urumi.annotations" (dict "root" .root "more" (dict "helm.sh/resource-policy" "keep")) }}
spec:
  accessModes:
    - ReadWriteOnce
  {{- with .root.Values.storage.className }}
  storageClassName: {{ . | quote }}
  {{- end }}
  resources:
    requests:
      storage: {{ .size }}
{{- end }}

{{/* The Ingress of a store, for its host. `routes` is a list of dicts with path, service and port. */}}
{{- define "urumi.ingress" -}}
{{- $values := .root.Values }}
{{- if and $values.ingress.tls.enabled (ne $values.store.scheme "https") }}
{{- fail (printf "ingress.tls.enabled is true but store.scheme is %q: expected \"https\", because links of the store would otherwise leave TLS" $values.store.scheme) }}
{{- end }}
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: {{ .component }}
  labels:
    {{- include "urumi.labels" . | nindent 4 }}
  {{- include "urumi.annotations" (dict "root" .root "more" $values.ingress.annotations) }}
spec:
  {{- with $values.ingress.className }}
  ingressClassName: {{ . | quote }}
  {{- end }}
  {{- if $values.ingress.tls.enabled }}
  tls:
    - hosts:
        - {{ include "urumi.host" .root | quote }}
      {{- with $values.ingress.tls.secretName }}
      secretName: {{ . | quote }}
      {{- end }}
  {{- end }}
  rules:
    - host: {{ include "urumi.host" .root | quote }}
      http:
        paths:
          {{- range .routes }}
          - path: {{ .path }}
            pathType: Prefix
            backend:
              service:
                name: {{ .service }}
                port:
                  name: {{ .port }}
          {{- end }}
{{- end }}
