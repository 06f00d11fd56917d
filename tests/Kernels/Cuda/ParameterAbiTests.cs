using System.Reflection;
using System.Runtime.InteropServices;
using System.Text;
using LServe.Cuda.Jit;

namespace LServe.Tests.Kernels.Cuda;

/// <summary>The argument structs in C# have the sizes and offsets the device compiler gives those of params.h.</summary>
public class ParameterAbiTests
{
    public static TheoryData<string> Structs => new(Mirrors.Keys);

    private static SortedDictionary<string, Type> Mirrors { get; } = new(
        typeof(KernelVariant).Assembly.GetTypes()
            .Where(type => type.IsValueType && type.Namespace == "LServe.Cuda.Launch" && type.Name.EndsWith("Params", StringComparison.Ordinal))
            .ToDictionary(type => type.Name));

    [NvrtcTheory]
    [MemberData(nameof(Structs))]
    public void SizesAndOffsetsAgree(string name)
    {
        var type = Mirrors[name];
        var source = new StringBuilder($"#include <{HeaderOf(name)}>\n");
        source.AppendLine($"static_assert(sizeof(lserve::{name}) == {Marshal.SizeOf(type)}, \"size\");");
        foreach (var field in type.GetFields(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic))
            source.AppendLine($"static_assert({Offset(name, field.Name)} == {Marshal.OffsetOf(type, field.Name)}, \"{field.Name}\");");
        new KernelCompiler(KernelSources.Embedded, ComputeArchitecture.Least).CompileSource(source.ToString(), $"{name}.abi", []);
    }

    private static string HeaderOf(string name) =>
        KernelSources.Embedded.Headers.First(header => header.Text.Contains($"struct {name} {{", StringComparison.Ordinal)).Name;

    /// <summary>NVRTC brings no offsetof; this is what its front end made of it before it had a builtin.</summary>
    private static string Offset(string type, string field) => $"__INTADDR__(&((lserve::{type}*)0)->{SnakeCase(field)})";

    private static string SnakeCase(string name) =>
        string.Concat(name.Select((c, i) => char.IsUpper(c) ? (i == 0 ? "" : "_") + char.ToLowerInvariant(c) : c.ToString()));
}
