#!/usr/bin/env bash
# Puts an OpenSearch node with k-NN together from Maven artifacts and runs it in the foreground on 127.0.0.1, until SIGTERM.
# Usage: opensearch.sh DIR PORT. Needs mvn, Java 11 to 17, unzip. It has the Lucene engine only: the k-NN archive has no native
# libraries.
set -euo pipefail
dir=$(mkdir -p "$1" && cd "$1" && pwd); port=$2; v=2.19.1
if [ ! -f "$dir/ready" ]; then
  mkdir -p "$dir"/{fetch,lib,config,data,logs,modules/transport-netty4,modules/lang-painless,plugins/opensearch-knn}
  dep() { echo "<dependency><groupId>$1</groupId><artifactId>$2</artifactId><version>$3</version>${4:+<type>$4</type>}</dependency>"; }
  pom() { echo "<project xmlns=\"http://maven.apache.org/POM/4.0.0\"><modelVersion>4.0.0</modelVersion><groupId>t</groupId><artifactId>$1</artifactId><version>1</version><dependencies>"; cat; echo "</dependencies></project>"; }
  get() { mkdir -p "$dir/fetch/$1"; pom "$1" >"$dir/fetch/$1/pom.xml"; (cd "$dir/fetch/$1" && mvn -q -B dependency:copy-dependencies -DoutputDirectory=jars); }
  { dep org.opensearch opensearch $v; dep org.opensearch opensearch-plugin-classloader $v; dep org.apache.logging.log4j log4j-core 2.21.0; } | get core
  dep org.opensearch.plugin transport-netty4-client $v | get netty
  dep org.opensearch.plugin lang-painless $v | get painless
  dep org.opensearch.plugin opensearch-knn $v.0 zip | get knn
  cp "$dir"/fetch/core/jars/*.jar "$dir/lib"
  rest() { for j in "$dir/fetch/$1"/jars/*.jar; do [ -e "$dir/lib/${j##*/}" ] || cp "$j" "$2"; done; }   # what the core has not
  rest netty "$dir/modules/transport-netty4"; rest painless "$dir/modules/lang-painless"
  unzip -qo "$dir"/fetch/knn/jars/opensearch-knn-*.zip -d "$dir/plugins/opensearch-knn"
  describe() { printf 'description=%s\nversion=%s\nname=%s\nclassname=%s\njava.version=11\nopensearch.version=%s\ncustom.foldername=\nextended.plugins=\nhas.native.controller=false\n' "$1" $v "$1" "$2" $v >"$dir/modules/$1/plugin-descriptor.properties"; }
  describe transport-netty4 org.opensearch.transport.Netty4Plugin; describe lang-painless org.opensearch.painless.PainlessPlugin
  cat >"$dir/modules/transport-netty4/plugin-security.policy" <<'P'
grant {
  permission java.io.FilePermission "/proc/sys/net/core/somaxconn", "read";
  permission java.net.SocketPermission "*", "accept,connect";
  permission java.lang.RuntimePermission "*", "setContextClassLoader";
  permission java.lang.RuntimePermission "getClassLoader";
  permission java.util.PropertyPermission "sun.nio.ch.bugLevel", "write";
};
P
  printf 'grant {\n  permission java.lang.RuntimePermission "createClassLoader";\n  permission java.lang.RuntimePermission "getClassLoader";\n};\n' >"$dir/modules/lang-painless/plugin-security.policy"
  printf 'status = error\nappender.console.type = Console\nappender.console.name = console\nappender.console.layout.type = PatternLayout\nappender.console.layout.pattern = [%%d][%%p][%%c{1.}] %%m%%n\nrootLogger.level = info\nrootLogger.appenderRef.console.ref = console\n' >"$dir/config/log4j2.properties"
  : >"$dir/config/jvm.options"; touch "$dir/ready"
fi
printf 'cluster.name: t\nnode.name: n1\npath.data: %s/data\npath.logs: %s/logs\nnetwork.host: 127.0.0.1\nhttp.port: %s\ntransport.port: %s\ndiscovery.type: single-node\n' "$dir" "$dir" "$port" $((port + 1)) >"$dir/config/opensearch.yml"
run=(java -Xms512m -Xmx1g -Djava.security.manager=allow -Dopensearch.path.home="$dir" -Dopensearch.path.conf="$dir/config" -Dopensearch.distribution.type=tar
  -Dio.netty.noUnsafe=true -Dio.netty.noKeySetOptimization=true -Dlog4j.shutdownHookEnabled=false -Dlog4j2.disable.jmx=true -cp "$dir/lib/*" org.opensearch.bootstrap.OpenSearch)
if [ "$(id -u)" = 0 ]; then chown -R 65534:65534 "$dir"; run=(setpriv --reuid=65534 --regid=65534 --clear-groups env HOME="$dir" "${run[@]}"); fi
cd "$dir"; exec "${run[@]}"
